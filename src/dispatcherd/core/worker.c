/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/core/worker.h"

#include "base/fd.h"
#include "base/time.h"
#include "dispatcherd/core/backend.h"
#include "dispatcherd/core/context.h"
#include "dispatcherd/report/message_ids.h"
#include "dispatcherd/report/report.h"
#include "dispatcherd/store/stall_guard.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct worker *worker_new(struct service *service, unsigned slot, enum decision_reason reason,
                          int *channel, uint64_t now)
{
    struct worker *worker = calloc(1, sizeof(*worker));

    if (!worker)
        return NULL;
    /* An adopted worker may hold more than what is allowed now. */
    worker->n_places = reason == REASON_ADOPTED ? MESSAGE_IDS_MAX : service->options->max_conns;
    worker->held = calloc(worker->n_places, sizeof(*worker->held));
    if (!worker->held) {
        free(worker);
        return NULL;
    }
    worker->service = service;
    worker->slot = slot;
    worker->state = reason == REASON_ADOPTED ? WORKER_ADOPTED : WORKER_STARTING;
    worker->start_reason = reason;
    worker->channel = take_fd(channel);
    worker->pidfd = -1;
    worker->peer = -1;
    worker->exit_status = -1;
    service->workers[slot] = worker;
    pool_worker_started(service->pool, slot, now);
    return worker;
}

void worker_free(struct worker *worker)
{
    assert(worker->n_held == 0);
    sd_event_source_disable_unref(worker->channel_source);
    sd_event_source_disable_unref(worker->exit_source);
    sd_event_source_disable_unref(worker->limit_source);
    sd_event_source_disable_unref(worker->rest_source);
    sd_event_source_disable_unref(worker->store_source);
    backend_forget(worker);
    ring_reader_free(&worker->ring);
    logfile_clear(&worker->log);
    /* At our end it may be the last copy of a channel that was not read to its end. */
    (void)stall_guard_close(worker->channel, 0);
    fd_close(worker->peer);
    fd_close(worker->pidfd);
    free(worker->held);
    free(worker->last_lines);
    worker->service->workers[worker->slot] = NULL;
    free(worker);
}

static int on_rested(_unused_ sd_event_source *source, _unused_ uint64_t usec, void *userdata)
{
    struct worker *worker = userdata;

    pool_worker_blocked(worker->service->pool, worker->slot, false);
    service_touch(worker->service);
    return 0;
}

void worker_rest(struct worker *worker, uint64_t usec)
{
    pool_worker_blocked(worker->service->pool, worker->slot, true);
    sd_event_source_disable_unref(worker->rest_source);
    worker->rest_source = NULL;
    /* Without memory for a timer no rest is better than one without an end. */
    if (sd_event_add_time_relative(worker->service->context->event, &worker->rest_source,
                                   CLOCK_MONOTONIC, usec, USEC_PER_MSEC, on_rested, worker) < 0)
        pool_worker_blocked(worker->service->pool, worker->slot, false);
}

#define STORE_RETRY_USEC (50 * USEC_PER_MSEC)

/* Room may come when another worker has ended. */
#define STORE_FULL_RETRY_USEC (10 * USEC_PER_SEC)

static int on_store_retry(_unused_ sd_event_source *source, _unused_ uint64_t usec, void *userdata)
{
    worker_store(userdata);
    return 0;
}

const char *worker_store_name(const struct worker *worker, char name[STORE_NAME_MAX])
{
    struct store_worker stored = {.slot = worker->slot,
                                  .has_ring = worker->has_asked_ring,
                                  .knows_stop = worker->knows_stop,
                                  .knows_log = worker->knows_log,
                                  .knows_stress = worker->knows_stress};

    snprintf(stored.unit_name, sizeof(stored.unit_name), "%s", worker->service->options->unit_name);
    return store_worker_name(&stored, name);
}

/* Once for a worker. */
static void report_not_stored(struct worker *worker)
{
    const struct subject subject = worker_subject(worker, MESSAGE_ID_STORE_FULL);

    if (worker->is_told_unstored)
        return;
    worker->is_told_unstored = true;
    report(LOG_WARNING, &subject,
           "worker %d would not survive a restart or a crash of dispatcherd: systemd keeps no more "
           "than the %zu descriptors that it has (FileDescriptorStoreMax=%zu); it would finish its "
           "sessions and exit",
           (int)worker->pid, store_n_entries(), store_max_entries());
}

void worker_store(struct worker *worker)
{
    char name[STORE_NAME_MAX];

    int r = store_add(worker_store_name(worker, name), worker->channel);
    worker->is_stored = r == 0;
    if (r == -ENOSPC)
        report_not_stored(worker);
    if (r != -EAGAIN && r != -ENOSPC)
        return;
    uint64_t delay = r == -EAGAIN ? STORE_RETRY_USEC : STORE_FULL_RETRY_USEC;
    sd_event_source_disable_unref(worker->store_source);
    worker->store_source = NULL;
    (void)sd_event_add_time_relative(worker->service->context->event, &worker->store_source,
                                     CLOCK_MONOTONIC, delay, delay / 8, on_store_retry, worker);
}

void worker_hold(struct worker *worker, struct connection *connection)
{
    assert(worker->n_held < worker->n_places);
    worker->held[worker->n_held++] = connection;
    connection->worker = worker;
}

void worker_drop(struct worker *worker, struct connection *connection)
{
    unsigned i = 0;

    assert(worker->n_unsent == 0);
    while (worker->held[i] != connection)
        i++;
    worker->held[i] = worker->held[--worker->n_held];
    connection->worker = NULL;
}

struct connection *worker_find(const struct worker *worker, uint64_t id)
{
    for (unsigned i = 0; i < worker->n_held; i++)
        if (worker->held[i]->id == id)
            return worker->held[i];
    return NULL;
}

const struct pool_worker *worker_in_pool(const struct worker *worker)
{
    return &worker->service->pool->workers[worker->slot];
}

static unsigned active_connections(const void *whose, uint64_t ids[REPORT_CONNECTIONS_MAX])
{
    const struct worker *worker = whose;
    unsigned n = 0;

    for (unsigned i = 0; i < worker->n_held && n < REPORT_CONNECTIONS_MAX; i++)
        if (worker->held[i]->state == CONNECTION_ACTIVE)
            ids[n++] = worker->held[i]->id;
    return n;
}

struct subject worker_subject(const struct worker *worker, const char *message_id)
{
    struct subject subject = {.service = worker->service->options->name,
                              .worker_pid = worker->pid,
                              .message_id = message_id};

    /* What an administrator acts on is part of each connection's story. */
    if (message_id) {
        subject.connections_of = active_connections;
        subject.whose = worker;
    }
    return subject;
}
