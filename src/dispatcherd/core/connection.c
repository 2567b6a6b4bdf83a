/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/core/connection.h"

#include "access/concurrency.h"
#include "access/ident_client.h"
#include "access/source.h"
#include "base/fd.h"
#include "base/time.h"
#include "dispatcherd/core/context.h"
#include "dispatcherd/core/handed_fd.h"
#include "dispatcherd/core/kernel_queue.h"
#include "dispatcherd/core/service.h"
#include "dispatcherd/core/worker.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const bool may_go[N_CONNECTION_STATES][N_CONNECTION_STATES] = {
    [CONNECTION_ACCEPTED] = {[CONNECTION_CHECKING] = true},
    [CONNECTION_CHECKING] = {[CONNECTION_WAITING] = true, [CONNECTION_CLOSED] = true},
    [CONNECTION_WAITING] = {[CONNECTION_HANDOFF] = true, [CONNECTION_CLOSED] = true},
    [CONNECTION_HANDOFF] =
        {[CONNECTION_ACTIVE] = true, [CONNECTION_WAITING] = true, [CONNECTION_CLOSED] = true},
    [CONNECTION_ACTIVE] = {[CONNECTION_CLOSED] = true},
};

const char *connection_state_to_string(enum connection_state state)
{
    static const char *const texts[N_CONNECTION_STATES] = {
        [CONNECTION_ACCEPTED] = "accepted", [CONNECTION_CHECKING] = "checking",
        [CONNECTION_WAITING] = "waiting",   [CONNECTION_HANDOFF] = "hand-off",
        [CONNECTION_ACTIVE] = "active",     [CONNECTION_CLOSED] = "closed",
    };

    return texts[state];
}

static void count_concurrent(const struct service *service, uint64_t now)
{
    statistics_set_concurrent(service->statistics,
                              service->pool->n_active + service->pool->n_handoffs, now);
}

struct connection *connection_new(struct service *service, int *fd, uint64_t now)
{
    struct connection *connection = calloc(1, sizeof(*connection));

    if (!connection)
        return NULL;
    connection->service = service;
    connection->id = context_new_connection_id(service->context);
    connection->fd = take_fd(fd);
    connection->accepted_at = now;
    return connection;
}

struct connection *connection_adopt(struct worker *worker, uint64_t id, uint64_t accepted_at)
{
    struct connection *connection = calloc(1, sizeof(*connection));

    if (!connection)
        return NULL;
    connection->service = worker->service;
    connection->id = id;
    connection->fd = -1;
    connection->accepted_at = accepted_at;
    connection->state = CONNECTION_ACTIVE;
    pool_connection_adopted(worker->service->pool, worker->slot);
    worker_hold(worker, connection);
    count_concurrent(worker->service, time_now_usec(CLOCK_MONOTONIC));
    return connection;
}

static void leave_state(struct connection *connection, enum connection_state next, uint64_t now)
{
    struct service *service = connection->service;
    struct pool *pool = service->pool;

    switch (connection->state) {
    case CONNECTION_CHECKING:
        pool_checking_ended(pool);
        break;
    case CONNECTION_WAITING:
        service_note_wait(service, connection->waiting_since, now);
        TAILQ_REMOVE(&service->waiting, connection, waiting_link);
        pool_waiting_ended(pool);
        connection->hangup_source = sd_event_source_disable_unref(connection->hangup_source);
        break;
    case CONNECTION_HANDOFF:
        if (next == CONNECTION_ACTIVE) {
            pool_handoff_acknowledged(pool, connection->worker->slot);
            break;
        }
        pool_handoff_returned(pool, connection->worker->slot, now);
        worker_drop(connection->worker, connection);
        break;
    case CONNECTION_ACTIVE:
        pool_connection_ended(pool, connection->worker->slot, now);
        worker_drop(connection->worker, connection);
        break;
    case CONNECTION_ACCEPTED:
    case CONNECTION_CLOSED:
    case N_CONNECTION_STATES:
        break;
    }
}

static void move(struct connection *connection, enum connection_state next, uint64_t now)
{
    assert(may_go[connection->state][next]);
    leave_state(connection, next, now);
    connection->state = next;
}

void connection_check(struct connection *connection)
{
    move(connection, CONNECTION_CHECKING, 0);
    pool_checking_begun(connection->service->pool);
    if (connection->is_readmitted)
        return;
    if (connection->service->is_queueing)
        connection->queued_usec = queue_time(connection->fd);
    statistics_count_backlog(connection->service->statistics, connection->queued_usec);
    service_note_wait(connection->service, connection->accepted_at - connection->queued_usec,
                      connection->accepted_at);
}

void connection_take_back(struct connection *connection, uint64_t now)
{
    struct service *service = connection->service;

    move(connection, CONNECTION_WAITING, now);
    TAILQ_INSERT_HEAD(&service->waiting, connection, waiting_link);
    count_concurrent(service, now);
    pool_waiting_begun(service->pool);
}

void connection_wait(struct connection *connection, uint64_t now)
{
    struct service *service = connection->service;

    if (connection->state == CONNECTION_HANDOFF) {
        statistics_count_failed_handoff(service->statistics);
        connection_take_back(connection, now);
        return;
    }
    move(connection, CONNECTION_WAITING, now);
    connection->waiting_since = now;
    TAILQ_INSERT_TAIL(&service->waiting, connection, waiting_link);
    statistics_count_admitted(service->statistics, now);
    pool_waiting_begun(service->pool);
}

void connection_hand_off(struct connection *connection, struct worker *worker, uint64_t now)
{
    move(connection, CONNECTION_HANDOFF, now);
    connection->handed_at = now;
    pool_handoff_begun(connection->service->pool, worker->slot);
    worker_hold(worker, connection);
    count_concurrent(connection->service, now);
}

/* A worker that had it may have set options of the socket. */
static void close_copy(struct connection *connection, uint64_t now)
{
    if (connection->handed_at > 0)
        handed_fd_close(connection->service, connection->fd, now);
    else
        fd_close(connection->fd);
    connection->fd = -1;
}

void connection_activate(struct connection *connection, uint64_t now)
{
    move(connection, CONNECTION_ACTIVE, now);
    close_copy(connection, now);
    statistics_count_taken(connection->service->statistics, connection->accepted_at,
                           connection->handed_at);
}

void connection_close(struct connection *connection, uint64_t now)
{
    move(connection, CONNECTION_CLOSED, now);
    count_concurrent(connection->service, now);
    const struct address network = source_network(&connection->peer);
    if (connection->is_counted)
        concurrency_remove(connection->service->addresses, &connection->peer);
    if (connection->is_counted_of_network)
        concurrency_remove(connection->service->networks, &network);
    ident_cancel(connection->ident_request);
    close_copy(connection, now);
    free(connection->tag);
    free(connection->note);
    free(connection);
}

static uint32_t count(struct concurrency *concurrency, const struct address *address,
                      bool *is_counted)
{
    if (*is_counted)
        return concurrency_lookup(concurrency, address);
    uint32_t n = concurrency_add(concurrency, address);
    *is_counted = n > 0;
    return n;
}

void connection_count(struct connection *connection, uint32_t *ret_of_address,
                      uint32_t *ret_of_network)
{
    const struct address network = source_network(&connection->peer);

    *ret_of_address =
        count(connection->service->addresses, &connection->peer, &connection->is_counted);
    *ret_of_network =
        count(connection->service->networks, &network, &connection->is_counted_of_network);
}

void connection_set_texts(struct connection *connection, const char *tag, const char *note)
{
    connection->tag = tag[0] ? strdup(tag) : NULL;
    connection->note = note[0] ? strdup(note) : NULL;
}
