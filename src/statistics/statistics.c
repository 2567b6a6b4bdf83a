/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "statistics/statistics.h"

#include "base/macro.h"

#include <assert.h>

const char *statistics_rejection_to_string(enum statistics_rejection reason)
{
    static const char *const texts[N_STATISTICS_REJECTIONS] = {
        [REJECTED_BY_MAPPING] = "mapping",
        [REJECTED_BY_DNS_LIST] = "dns_list",
        [REJECTED_BY_THROTTLE] = "throttle",
        [REJECTED_FOR_ADDRESS] = "address",
        [REJECTED_FOR_PROXY_HEADER] = "proxy_header",
        [REJECTED_FOR_SHUTDOWN] = "shutdown",
        [REJECTED_FOR_ERROR] = "error",
    };

    return texts[reason];
}

static uint64_t span_between(uint64_t from, uint64_t to)
{
    return to > from ? to - from : 0;
}

void statistics_start(struct statistics *statistics, uint64_t now)
{
    *statistics = (struct statistics){.started_at = now};
    level_start(&statistics->concurrent, now);
    hours_start(&statistics->admitted, now);
}

void statistics_resume(struct statistics *statistics, uint64_t now)
{
    level_resume(&statistics->concurrent, now);
}

void statistics_count_accepted(struct statistics *statistics)
{
    statistics->n_accepted++;
}

void statistics_count_admitted(struct statistics *statistics, uint64_t now)
{
    statistics->n_admitted++;
    hours_count(&statistics->admitted, now);
}

void statistics_count_rejected(struct statistics *statistics, enum statistics_rejection reason)
{
    assert(reason < N_STATISTICS_REJECTIONS);
    statistics->n_rejected[reason]++;
}

void statistics_count_taken(struct statistics *statistics, uint64_t accepted_at, uint64_t handed_at)
{
    span_count(&statistics->waits, span_between(accepted_at, handed_at));
}

void statistics_count_ended(struct statistics *statistics, uint64_t accepted_at, uint64_t now)
{
    statistics->n_ended++;
    span_count(&statistics->durations, span_between(accepted_at, now));
}

void statistics_count_broken(struct statistics *statistics, uint64_t accepted_at, uint64_t now)
{
    statistics->n_broken++;
    span_count(&statistics->durations, span_between(accepted_at, now));
}

void statistics_count_failed_session(struct statistics *statistics)
{
    statistics->n_failed_sessions++;
}

void statistics_count_sent_away(struct statistics *statistics)
{
    statistics->n_sent_away++;
}

void statistics_count_gone(struct statistics *statistics)
{
    statistics->n_gone++;
}

void statistics_count_unserved(struct statistics *statistics)
{
    statistics->n_unserved++;
}

void statistics_count_failed_start(struct statistics *statistics)
{
    statistics->n_failed_starts++;
}

void statistics_count_failed_handoff(struct statistics *statistics)
{
    statistics->n_failed_handoffs++;
}

void statistics_count_tls(struct statistics *statistics)
{
    statistics->n_tls++;
}

void statistics_count_tls_failed(struct statistics *statistics, enum statistics_tls_failure reason,
                                 uint64_t n)
{
    assert(reason < N_STATISTICS_TLS_FAILURES);
    statistics->n_tls_failed[reason] += n;
}

void statistics_count_full(struct statistics *statistics)
{
    statistics->n_times_full++;
}

void statistics_count_backlog(struct statistics *statistics, uint64_t usec)
{
    span_count(&statistics->backlog, usec);
}

void statistics_set_concurrent(struct statistics *statistics, uint32_t n, uint64_t now)
{
    level_set(&statistics->concurrent, n, now);
}

uint64_t statistics_rejected(const struct statistics *statistics)
{
    uint64_t n = 0;

    for (size_t i = 0; i < ELEMENTSOF(statistics->n_rejected); i++)
        n += statistics->n_rejected[i];
    return n;
}

const char *statistics_tls_failure_to_string(enum statistics_tls_failure reason)
{
    static const char *const texts[N_STATISTICS_TLS_FAILURES] = {
        [TLS_FAILURE_TIMEOUT] = "timeout",
        [TLS_FAILURE_NO_SHARED_CIPHER] = "no_shared_cipher",
        [TLS_FAILURE_VERSION] = "version",
        [TLS_FAILURE_BAD_CERTIFICATE] = "bad_certificate",
        [TLS_FAILURE_PLAIN_TEXT] = "plain_text",
        [TLS_FAILURE_GONE] = "gone",
        [TLS_FAILURE_NO_CERTIFICATE] = "no_certificate",
        [TLS_FAILURE_ERROR] = "error",
    };

    return texts[reason];
}

uint64_t statistics_tls_failed(const struct statistics *statistics)
{
    uint64_t n = 0;

    for (size_t i = 0; i < ELEMENTSOF(statistics->n_tls_failed); i++)
        n += statistics->n_tls_failed[i];
    return n;
}
