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

#define TIMER_ACCURACY_USEC USEC_PER_MSEC

/* When to try again if the service manager was too busy. */
#define STORE_RETRY_USEC (50 * USEC_PER_MSEC)

/* When to try again if the store was full: another worker may have ended. */
#define STORE_FULL_RETRY_USEC (10 * USEC_PER_SEC)

static void on_rested(void *userdata)
{
    struct worker *worker = userdata;

    worker_unblock(worker, WORKER_RESTS);
    service_touch(worker->service);
}

static void on_store_retry(void *userdata)
{
    worker_store(userdata);
}

static void free_memory(struct worker *worker)
{
    timer_clear(&worker->limit_timer);
    timer_clear(&worker->rest_timer);
    timer_clear(&worker->store_timer);
    free(worker->held);
    free(worker->last_lines);
    free(worker);
}

struct worker *worker_new(struct service *service, unsigned slot, enum decision_reason reason,
                          int *channel, uint64_t now)
{
    struct worker *worker = calloc(1, sizeof(*worker));
    sd_event *event = service->context->event;

    if (!worker)
        return NULL;
    /* An adopted worker may hold more connections than are allowed now. */
    worker->n_places = reason == REASON_ADOPTED ? MESSAGE_IDS_MAX : service->options->max_conns;
    worker->held = calloc(worker->n_places, sizeof(*worker->held));
    if (!worker->held ||
        timer_init(&worker->rest_timer, event, TIMER_ACCURACY_USEC, on_rested, worker) < 0 ||
        timer_init(&worker->store_timer, event, STORE_RETRY_USEC / 8, on_store_retry, worker) < 0) {
        free_memory(worker);
        return NULL;
    }
    worker->service = service;
    worker->slot = slot;
    worker->state = reason == REASON_ADOPTED ? WORKER_ADOPTED : WORKER_STARTING;
    worker->start_reason = reason;
    worker->is_stored = reason == REASON_ADOPTED;
    worker->channel = take_fd(channel);
    worker->pidfd = -1;
    worker->peer = -1;
    worker->exit_status = -1;
    service->workers[slot] = worker;
    pool_worker_started(service->pool, slot, now);
    return worker;
}

void worker_limit_places(struct worker *worker, unsigned n)
{
    assert(worker->n_held == 0);
    if (n == 0 || n >= worker->n_places)
        return;
    struct connection **held = reallocarray(worker->held, n, sizeof(*held));
    if (!held)
        return;
    worker->held = held;
    worker->n_places = n;
}

void worker_free(struct worker *worker)
{
    assert(worker->n_held == 0);
    sd_event_source_disable_unref(worker->channel_source);
    sd_event_source_disable_unref(worker->exit_source);
    backend_forget(worker);
    ring_watch_end(worker);
    ring_reader_free(&worker->ring);
    logfile_clear(&worker->log);
    /* If the other end is closed, ours may be the last copy of a channel with unread descriptors,
     * and closing it may block. */
    (void)stall_guard_close(worker->channel, 0);
    fd_close(worker->peer);
    fd_close(worker->pidfd);
    worker->service->workers[worker->slot] = NULL;
    free_memory(worker);
}

void worker_block(struct worker *worker, enum worker_block reason)
{
    worker->blocked_by |= reason;
    pool_worker_blocked(worker->service->pool, worker->slot, true);
}

void worker_unblock(struct worker *worker, enum worker_block reason)
{
    worker->blocked_by &= ~(unsigned)reason;
    pool_worker_blocked(worker->service->pool, worker->slot, worker->blocked_by != 0);
}

void worker_rest(struct worker *worker, uint64_t usec)
{
    worker_block(worker, WORKER_RESTS);
    timer_set_in(&worker->rest_timer, usec);
}

/* The name that the channel has in the store. */
static const char *worker_store_name(const struct worker *worker, char name[STORE_NAME_MAX])
{
    struct store_worker stored = {.slot = worker->slot, .knows = worker->knows};

    snprintf(stored.unit_name, sizeof(stored.unit_name), "%s", worker->service->options->unit_name);
    return store_worker_name(&stored, name);
}

/* Reported once for each worker. */
static void report_not_stored(struct worker *worker)
{
    const struct subject subject = worker_subject(worker, MESSAGE_ID_STORE_FULL);

    if (worker->is_told_unstored)
        return;
    worker->is_told_unstored = true;
    report(LOG_WARNING, &subject,
           "systemd's descriptor store has no room for the channel of worker %d: %zu descriptors, "
           "FileDescriptorStoreMax=%zu%s; if dispatcherd is restarted or crashes, this worker "
           "finishes its sessions and exits",
           (int)worker->pid, store_n_entries(), store_max_entries(),
           store_has_entries_left() ? ", and no room for their names" : "");
}

void worker_store(struct worker *worker)
{
    char name[STORE_NAME_MAX];

    int r = store_add(worker_store_name(worker, name), worker->channel);
    worker->is_stored = r == 0;
    if (r == -ENOSPC)
        report_not_stored(worker);
    if (r == -EAGAIN || r == -ENOSPC)
        timer_set_in(&worker->store_timer, r == -EAGAIN ? STORE_RETRY_USEC : STORE_FULL_RETRY_USEC);
}

void worker_close(struct worker *worker, bool is_kept)
{
    char name[STORE_NAME_MAX];

    worker->channel_source = sd_event_source_disable_unref(worker->channel_source);
    timer_stop(&worker->store_timer);
    if (worker->is_stored)
        (void)store_remove(worker_store_name(worker, name));
    worker->is_stored = false;
    if (is_kept)
        worker->peer = take_fd(&worker->channel);
    else
        worker->channel = fd_close(worker->channel);
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

    /* Lines that an administrator acts on are part of each connection's story. */
    if (message_id) {
        subject.connections_of = active_connections;
        subject.whose = worker;
    }
    return subject;
}
