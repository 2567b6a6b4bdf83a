/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/core/archive.h"

#include "base/time.h"
#include "dispatcherd/core/context.h"
#include "dispatcherd/recorder/recorder.h"

#include <stdio.h>
#include <string.h>

uint64_t archive_limit_usec(const struct service *service)
{
    return service->options->historical_time_sec * USEC_PER_SEC;
}

static uint32_t length_of(uint64_t from, uint64_t to)
{
    uint64_t length = to > from ? to - from : 0;

    return length < UINT32_MAX ? (uint32_t)length : UINT32_MAX;
}

/* A connection that a predecessor has accepted has none of these times before the hand-off. */
static void record_connection(const struct connection *connection, const struct connection_end *end)
{
    struct service *service = connection->service;
    bool was_handed = connection->handed_at > 0;
    uint64_t over_at = was_handed ? connection->handed_at : end->at;
    uint64_t waits_since = connection->waiting_since > 0 ? connection->waiting_since : over_at;
    const struct record_connection facts = {
        .queued_usec = length_of(0, connection->queued_usec),
        .checked_usec = length_of(connection->accepted_at, waits_since),
        .waited_usec = length_of(waits_since, over_at),
        .session_usec = was_handed && end->at > over_at ? end->at - over_at : 0,
        .end = (uint8_t)end->how,
        .rejection = (uint8_t)end->reason,
        .is_tls = connection->is_tls,
        .was_handed = was_handed,
    };

    recorder_add_connection(service->context->recorder, &service->recorded, service->options,
                            connection->accepted_at - facts.queued_usec, &connection->peer, &facts);
}

void archive_connection(const struct connection *connection, const struct connection_end *end)
{
    struct service *service = connection->service;
    uint64_t limit = archive_limit_usec(service);

    if (service->context->recorder)
        record_connection(connection, end);
    if (limit == 0)
        return;
    struct history_connection *ended =
        history_add_connection(&service->state->history, limit, end->at);
    ended->id = connection->id;
    ended->queued_usec = connection->queued_usec;
    ended->accepted_at = connection->accepted_at;
    ended->handed_at = connection_is_handed(connection) ? connection->handed_at : 0;
    ended->peer = connection->peer;
    ended->local = connection->local;
    ended->worker_pid = connection_worker_pid(connection);
    ended->end = end->how;
    ended->rejection = end->reason;
    ended->is_tls = connection->is_tls;
    ended->tls = connection->tls ? *connection->tls : (struct history_tls){0};
    snprintf(ended->ident_user, sizeof(ended->ident_user), "%s",
             connection->ident_user ? connection->ident_user : "");
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

    recorder_add_exit(service->context->recorder, &service->recorded, service->options, in_pool,
                      worker->drains_since, worker->retire_reason, now);
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
