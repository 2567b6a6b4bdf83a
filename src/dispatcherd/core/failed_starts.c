/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/core/failed_starts.h"

#include "base/str.h"
#include "base/time.h"
#include "dispatcherd/core/service.h"
#include "dispatcherd/report/message_ids.h"
#include "dispatcherd/report/report.h"

#include <stdarg.h>
#include <stdio.h>

/* How often the same failure is reported while other workers serve. */
#define INTERVAL_USEC (60 * USEC_PER_SEC)

static void failed_starts_report(struct service *service)
{
    const struct subject subject = {.service = service->options->name,
                                    .message_id = MESSAGE_ID_START_FAILED};
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);

    if (service->pool->n_ready > 0 && now < service->failed_starts.report_at)
        return;
    service->failed_starts.report_at = now + INTERVAL_USEC;
    report(LOG_ERR, &subject, "cannot start a worker: %s", service->failed_starts.error);
}

void failed_starts_note(struct service *service, enum decision_reason reason, const char *format,
                        ...)
{
    const struct subject subject = {.service = service->options->name,
                                    .message_id = MESSAGE_ID_START_FAILED};
    struct failed_starts *failed = &service->failed_starts;
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(failed->error, sizeof(failed->error), format, arguments);
    va_end(arguments);
    failed->has_any = true;
    statistics_count_failed_start(service->statistics);
    failed_starts_report(service);
    alerts_note_death(&service->alerts, failed->error);
    unsigned n_kept = reason == REASON_SUCCESSOR ? pool_keep_outdated(service->pool) : 0;
    if (n_kept > 0)
        report(LOG_ERR, &subject, "%u outdated %s, because a new one cannot be started", n_kept,
               str_plural(n_kept, "worker continues to serve", "workers continue to serve"));
}

void failed_starts_note_useless(struct failed_starts *failed)
{
    failed->has_any = true;
}

void failed_starts_end(struct failed_starts *failed)
{
    failed->error[0] = '\0';
}

void failed_starts_set_options(struct failed_starts *failed)
{
    failed->report_at = 0;
}
