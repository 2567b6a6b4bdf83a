/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/core/archive.h"

#include "base/time.h"

#include <stdio.h>
#include <string.h>

uint64_t archive_limit_usec(const struct service *service)
{
    return service->options->historical_time_sec * USEC_PER_SEC;
}

void archive_connection(const struct connection *connection, enum history_end end,
                        enum statistics_rejection rejection, uint64_t now)
{
    struct service *service = connection->service;
    uint64_t limit = archive_limit_usec(service);

    if (limit == 0)
        return;
    struct history_connection *ended = history_add_connection(&service->state->history, limit, now);
    ended->id = connection->id;
    ended->queued_usec = connection->queued_usec;
    ended->accepted_at = connection->accepted_at;
    ended->handed_at = connection->worker ? connection->handed_at : 0;
    ended->peer = connection->peer;
    ended->local = connection->local;
    ended->worker_pid = connection->worker ? connection->worker->pid : 0;
    ended->end = end;
    ended->rejection = rejection;
    ended->is_tls = connection->is_tls;
    memcpy(ended->ident_user, connection->ident_user, sizeof(ended->ident_user));
}

static void write_reason(char *text, size_t size, enum decision_reason reason)
{
    if (reason != REASON_NONE)
        snprintf(text, size, "%s", decision_reason_to_string(reason));
}

void archive_worker(const struct worker *worker, const struct worker_exit *exit, uint64_t now)
{
    struct service *service = worker->service;
    const struct pool_worker *in_pool = worker_in_pool(worker);
    uint64_t limit = archive_limit_usec(service);

    if (limit == 0)
        return;
    struct history_worker *ended = history_add_worker(&service->state->history, limit, now);
    ended->pid = worker->pid;
    ended->slot = worker->slot;
    ended->started_at = in_pool->started_at;
    ended->ready_at = in_pool->ready_at;
    ended->n_current = worker->n_held;
    ended->n_peak = in_pool->n_peak;
    ended->n_total = in_pool->n_total;
    ended->exit_status = exit->status;
    ended->signal = exit->signal;
    write_reason(ended->start_reason, sizeof(ended->start_reason), worker->start_reason);
    write_reason(ended->retire_reason, sizeof(ended->retire_reason), worker->retire_reason);
    snprintf(ended->cause, sizeof(ended->cause), "%s%s%s",
             worker->lost_reason ? worker->lost_reason : "", worker->lost_reason ? "; " : "",
             exit->cause);
    for (unsigned i = 0; i < worker->n_held && ended->n_held < HISTORY_HELD_MAX; i++)
        ended->held[ended->n_held++] = worker->held[i]->id;
}
