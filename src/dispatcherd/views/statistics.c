/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* A service's figures (dispatcherctl(1)) as JSON. */
#include "dispatcherd/core/archive.h"
#include "dispatcherd/views/views.h"

static json_t *view_span(const struct span *span)
{
    json_t *object = json_object();

    view_put(&object, "n", view_count(span->n));
    view_put(&object, "sum_usec", view_count(span->sum));
    view_put(&object, "min_usec", view_count(span->min));
    view_put(&object, "average_usec", view_count(span_average(span)));
    view_put(&object, "max_usec", view_count(span->max));
    return object;
}

static json_t *view_concurrent(const struct service *service, uint64_t now)
{
    struct level_summary summary = level_summary(&service->statistics->concurrent, now);
    json_t *object = json_object();

    view_put(&object, "current", view_count(pool_load(service->pool)));
    view_put(&object, "min", view_count(summary.min));
    view_put(&object, "average", json_real(summary.average));
    view_put(&object, "max", view_count(summary.max));
    return object;
}

static json_t *view_hours(const struct hours *hours, uint64_t now)
{
    struct hours_summary summary = hours_summary(hours, now);
    json_t *object = json_object();

    view_put(&object, "n_completed", view_count(summary.n_completed));
    view_put(&object, "running", view_count(summary.n_running));
    view_put(&object, "min", view_count(summary.min));
    view_put(&object, "average", json_real(summary.average));
    view_put(&object, "max", view_count(summary.max));
    return object;
}

static json_t *view_rejected(const struct statistics *statistics)
{
    json_t *object = json_object();

    for (int i = 0; i < N_STATISTICS_REJECTIONS; i++)
        view_put(&object, statistics_rejection_to_string(i), view_count(statistics->n_rejected[i]));
    return object;
}

static json_t *view_tls_failed(const struct statistics *statistics)
{
    json_t *object = json_object();

    for (int i = 0; i < N_STATISTICS_TLS_FAILURES; i++)
        view_put(&object, statistics_tls_failure_to_string(i),
                 view_count(statistics->n_tls_failed[i]));
    return object;
}

/* How much the history keeps, and how much it dropped early for lack of room. */
static json_t *view_kept(const struct service *service, uint64_t now)
{
    const struct history *history = &service->state->history;
    uint64_t limit = archive_limit_usec(service), n_connections = 0, n_workers = 0;
    json_t *object = json_object();

    while (history_connection(history, n_connections, limit, now))
        n_connections++;
    while (history_worker(history, n_workers, limit, now))
        n_workers++;
    view_put(&object, "connections", view_gauge(n_connections, HISTORY_CONNECTIONS_MAX));
    view_put(&object, "workers", view_gauge(n_workers, HISTORY_WORKERS_MAX));
    view_put(&object, "n_dropped_connections", view_count(history->n_dropped_connections));
    view_put(&object, "n_dropped_workers", view_count(history->n_dropped_workers));
    return object;
}

json_t *view_statistics(const struct service *service, const struct control_clock *clock)
{
    const struct statistics *statistics = service->statistics;
    uint64_t now = clock->monotonic;
    json_t *object = json_object();

    view_put(&object, "since", view_time(statistics->started_at, clock));
    view_put(&object, "n_accepted", view_count(statistics->n_accepted));
    view_put(&object, "n_admitted", view_count(statistics->n_admitted));
    view_put(&object, "n_ended", view_count(statistics->n_ended));
    view_put(&object, "n_failed_sessions", view_count(statistics->n_failed_sessions));
    view_put(&object, "n_sent_away", view_count(statistics->n_sent_away));
    view_put(&object, "n_broken", view_count(statistics->n_broken));
    view_put(&object, "n_gone", view_count(statistics->n_gone));
    view_put(&object, "n_unserved", view_count(statistics->n_unserved));
    view_put(&object, "n_rejected", view_count(statistics_rejected(statistics)));
    view_put(&object, "rejected", view_rejected(statistics));
    view_put(&object, "n_failed_starts", view_count(statistics->n_failed_starts));
    view_put(&object, "n_failed_handoffs", view_count(statistics->n_failed_handoffs));
    view_put(&object, "n_times_full", view_count(statistics->n_times_full));
    view_put(&object, "n_tls", view_count(statistics->n_tls));
    view_put(&object, "n_tls_failed", view_count(statistics_tls_failed(statistics)));
    view_put(&object, "tls_failed", view_tls_failed(statistics));
    view_put(&object, "concurrent", view_concurrent(service, now));
    view_put(&object, "hourly", view_hours(&statistics->admitted, now));
    view_put(&object, "duration", view_span(&statistics->durations));
    view_put(&object, "wait", view_span(&statistics->waits));
    view_put(&object, "backlog", view_span(&statistics->backlog));
    view_put(&object, "history", view_kept(service, now));
    return object;
}
