/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/service/statistics_log.h"

#include "base/time.h"
#include "dispatcherd/report/report.h"
#include "protocol/debug.h"

#include <inttypes.h>

#define INTERVAL_USEC (60 * USEC_PER_SEC)

static void tell(const struct service *service, uint64_t now)
{
    const struct statistics *statistics = service->statistics;
    const struct subject subject = {.service = service->options->name};
    struct level_summary level = level_summary(&statistics->concurrent, now);

    report_debug(service->options->debug, DEBUG_STATISTICS, &subject,
                 "%" PRIu64 " accepted, %" PRIu64 " rejected, %" PRIu64 " ended, %" PRIu64
                 " broken, %" PRIu64
                 " gone; least/average/most: %u/%.1f/%u at a time, duration %" PRIu64 "/%" PRIu64
                 "/%" PRIu64 " ms, wait %" PRIu64 "/%" PRIu64 "/%" PRIu64 " us",
                 statistics->n_accepted, statistics_rejected(statistics), statistics->n_ended,
                 statistics->n_broken, statistics->n_gone, level.min, level.average, level.max,
                 statistics->durations.min / USEC_PER_MSEC,
                 span_average(&statistics->durations) / USEC_PER_MSEC,
                 statistics->durations.max / USEC_PER_MSEC, statistics->waits.min,
                 span_average(&statistics->waits), statistics->waits.max);
}

void statistics_log(struct service *const services[], size_t n_services, uint64_t now)
{
    for (size_t i = 0; i < n_services; i++) {
        struct service *service = services[i];

        if (!(service->options->debug & DEBUG_STATISTICS) || now < service->statistics_log_at)
            continue;
        service->statistics_log_at = now + INTERVAL_USEC;
        tell(service, now);
    }
}
