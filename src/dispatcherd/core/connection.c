/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/core/connection.h"

#include "access/ident_client.h"
#include "base/fd.h"
#include "base/time.h"
#include "dispatcherd/core/context.h"
#include "dispatcherd/core/passed_on.h"
#include "dispatcherd/core/service.h"
#include "dispatcherd/core/worker.h"
#include "dispatcherd/sockets/handed_fd.h"
#include "dispatcherd/sockets/kernel_queue.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const bool may_go[N_CONNECTION_STATES][N_CONNECTION_STATES] = {
    [CONNECTION_ACCEPTED] = {[CONNECTION_CHECKING] = true},
    [CONNECTION_CHECKING] = {[CONNECTION_WAITING] = true, [CONNECTION_CLOSED] = true},
    [CONNECTION_WAITING] = {[CONNECTION_HANDOFF] = true, [CONNECTION_CLOSED] = true},
    [CONNECTION_HANDOFF] =
        {[CONNECTION_ACTIVE] = true, [CONNECTION_WAITING] = true, [CONNECTION_CLOSED] = true},
    [CONNECTION_ACTIVE] =
        {[CONNECTION_WAITING] = true, [CONNECTION_PASSED_ON] = true, [CONNECTION_CLOSED] = true},
    [CONNECTION_PASSED_ON] =
        {[CONNECTION_WAITING] = true, [CONNECTION_ACTIVE] = true, [CONNECTION_CLOSED] = true},
};

const char *connection_state_to_string(enum connection_state state)
{
    static const char *const texts[N_CONNECTION_STATES] = {
        [CONNECTION_ACCEPTED] = "accepted", [CONNECTION_CHECKING] = "checking",
        [CONNECTION_WAITING] = "waiting",   [CONNECTION_HANDOFF] = "hand-off",
        [CONNECTION_ACTIVE] = "active",     [CONNECTION_PASSED_ON] = "passed-on",
        [CONNECTION_CLOSED] = "closed",
    };

    return texts[state];
}

static void count_concurrent(const struct service *service, uint64_t now)
{
    statistics_set_concurrent(service->statistics, pool_load(service->pool), now);
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
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);

    if (!connection)
        return NULL;
    connection->service = worker->service;
    connection->id = id;
    connection->fd = -1;
    connection->accepted_at = accepted_at < now ? accepted_at : now; /* the worker's word */
    connection->state = CONNECTION_ACTIVE;
    connection->is_adopted = true;
    pool_connection_adopted(worker->service->pool, worker->slot);
    worker_hold(worker, connection);
    count_concurrent(worker->service, now);
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
        alerts_note_wait(&service->alerts, connection->waiting_since, now);
        TAILQ_REMOVE(&service->waiting, connection, queue_link);
        pool_waiting_ended(pool);
        connection->hangup_source = sd_event_source_disable_unref(connection->hangup_source);
        break;
    case CONNECTION_HANDOFF:
        if (next == CONNECTION_ACTIVE) {
            pool_handoff_acknowledged(pool, connection->worker->slot);
            break;
        }
        passed_on_forget(connection);
        pool_handoff_returned(pool, connection->worker->slot, now);
        worker_drop(connection->worker, connection);
        break;
    case CONNECTION_ACTIVE:
        if (next == CONNECTION_PASSED_ON)
            pool_connection_passed_on(pool, connection->worker->slot, now);
        else
            pool_connection_ended(pool, connection->worker->slot, now);
        worker_drop(connection->worker, connection);
        break;
    case CONNECTION_PASSED_ON:
        pool_passed_on_ended(pool);
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
    if (next == CONNECTION_ACTIVE || next == CONNECTION_CLOSED)
        connection_store_leave(connection);
    connection->state = next;
}

void connection_check(struct connection *connection)
{
    move(connection, CONNECTION_CHECKING, 0);
    pool_checking_begun(connection->service->pool);
    if (connection->is_readmitted)
        return;
    uint64_t queued =
        queue_time(&connection->service->backlog, connection->fd, connection->accepted_at);
    connection->queued_usec = queued < UINT32_MAX ? (uint32_t)queued : UINT32_MAX;
    statistics_count_backlog(connection->service->statistics, connection->queued_usec);
    alerts_note_wait(&connection->service->alerts,
                     connection->accepted_at - connection->queued_usec, connection->accepted_at);
}

void connection_take_back(struct connection *connection, uint64_t now)
{
    struct service *service = connection->service;

    assert(connection->state < CONNECTION_ACTIVE); /* from there on it is put back */
    move(connection, CONNECTION_WAITING, now);
    TAILQ_INSERT_HEAD(&service->waiting, connection, queue_link);
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
    assert(connection->state < CONNECTION_ACTIVE);
    move(connection, CONNECTION_WAITING, now);
    connection->waiting_since = now;
    TAILQ_INSERT_TAIL(&service->waiting, connection, queue_link);
    statistics_count_admitted(service->statistics, now);
    pool_waiting_begun(service->pool);
}

/* Near the end of the queue, as a rule. */
static void insert_by_age(struct service *service, struct connection *connection)
{
    struct connection *other;

    TAILQ_FOREACH_REVERSE(other, &service->waiting, connection_queue, queue_link)
        if (other->accepted_at <= connection->accepted_at)
            break;
    if (other)
        TAILQ_INSERT_AFTER(&service->waiting, other, connection, queue_link);
    else
        TAILQ_INSERT_HEAD(&service->waiting, connection, queue_link);
}

static void wait_again(struct connection *connection, uint64_t now)
{
    struct service *service = connection->service;

    move(connection, CONNECTION_WAITING, now);
    if (connection->waiting_since == 0)
        connection->waiting_since = now;
    insert_by_age(service, connection);
    count_concurrent(service, now);
    pool_waiting_begun(service->pool);
}

void connection_put_back(struct connection *connection, int *fd, uint64_t now)
{
    passed_on_forget(connection);
    if (connection->fd < 0)
        connection->fd = take_fd(fd);
    wait_again(connection, now);
    connection_store_enter_now(connection);
}

void connection_readmit(struct connection *connection, uint64_t accepted_at)
{
    connection_check(connection);
    connection->accepted_at = accepted_at;
    connection_store_adopt(connection, STORED_WAIT);
    wait_again(connection, time_now_usec(CLOCK_MONOTONIC));
}

void connection_hand_off(struct connection *connection, struct worker *worker, uint64_t now)
{
    move(connection, CONNECTION_HANDOFF, now);
    connection->handed_at = now;
    connection->is_adopted = false;
    pool_handoff_begun(connection->service->pool, worker->slot);
    worker_hold(worker, connection);
    if (worker->ring.memory)
        ring_watch_answering(worker);
    if (worker->knows.pass)
        passed_on_record(connection);
    /* Without a record a successor could not find out who has it, and might have it served twice.
     */
    if (!connection->record)
        connection_store_leave(connection);
    count_concurrent(connection->service, now);
}

/* A worker that had it, perhaps one of a predecessor, may have set options of the socket. */
static void close_copy(struct connection *connection, uint64_t now)
{
    if (connection->handed_at > 0 || connection->is_readmitted)
        handed_fd_close(&connection->service->caution, connection->service->options->name,
                        connection->fd, now);
    else
        fd_close(connection->fd);
    connection->fd = -1;
}

void connection_activate(struct connection *connection, uint64_t now)
{
    assert(connection->state == CONNECTION_HANDOFF); /* from passed on: connection_take_up() */
    move(connection, CONNECTION_ACTIVE, now);
    close_copy(connection, now);
    statistics_count_taken(connection->service->statistics, connection->accepted_at,
                           connection->handed_at);
}

void connection_pass_on(struct connection *connection, uint64_t now)
{
    move(connection, CONNECTION_PASSED_ON, now);
}

void connection_take_up(struct connection *connection, struct worker *worker)
{
    assert(connection->state == CONNECTION_PASSED_ON);
    connection_drop_copy(connection, time_now_usec(CLOCK_MONOTONIC));
    move(connection, CONNECTION_ACTIVE, 0);
    pool_connection_adopted(worker->service->pool, worker->slot);
    worker_hold(worker, connection);
}

void connection_keep_copy(struct connection *connection, int *fd, enum stored_kind kind)
{
    assert(connection->state == CONNECTION_PASSED_ON && connection->fd < 0);
    connection->fd = take_fd(fd);
    connection_store_adopt(connection, kind);
}

void connection_drop_copy(struct connection *connection, uint64_t now)
{
    connection_store_leave(connection);
    close_copy(connection, now);
}

struct connection *connection_adopt_passed_on(struct service *service, struct passed_record *record)
{
    struct connection *connection = calloc(1, sizeof(*connection));
    uint32_t n_of_address, n_of_network;

    if (!connection)
        return NULL;
    connection->service = service;
    connection->id = record->id;
    connection->fd = -1;
    connection->peer = record->peer;
    connection->local = record->local;
    connection->is_tls = record->is_tls;
    connection->accepted_at = record->accepted_at;
    connection->handed_at = record->handed_at;
    connection->record = record;
    connection->is_adopted = true;
    connection->state = CONNECTION_PASSED_ON;
    pool_passed_on_adopted(service->pool);
    connection_count(connection, &n_of_address, &n_of_network);
    count_concurrent(service, time_now_usec(CLOCK_MONOTONIC));
    return connection;
}

void connection_close(struct connection *connection, uint64_t now)
{
    move(connection, CONNECTION_CLOSED, now);
    passed_on_forget(connection);
    count_concurrent(connection->service, now);
    addresses_remove(&connection->service->addresses, &connection->peer, &connection->counted);
    ident_cancel(connection->ident_request);
    close_copy(connection, now);
    free(connection->tag);
    free(connection->note);
    free(connection->tls);
    free(connection->ident_user);
    free(connection);
}

void connection_count(struct connection *connection, uint32_t *ret_of_address,
                      uint32_t *ret_of_network)
{
    addresses_add(&connection->service->addresses, &connection->peer, &connection->counted,
                  ret_of_address, ret_of_network);
}

void connection_set_ends(struct connection *connection, const struct address *peer,
                         const struct address *local, bool is_tls)
{
    connection->peer = *peer;
    connection->local = *local;
    connection->is_tls = is_tls;
}

void connection_set_texts(struct connection *connection, const char *tag, const char *note)
{
    connection->tag = tag[0] ? strdup(tag) : NULL;
    connection->note = note[0] ? strdup(note) : NULL;
}

bool connection_is_handed(const struct connection *connection)
{
    return connection->worker || connection->state == CONNECTION_PASSED_ON;
}

pid_t connection_worker_pid(const struct connection *connection)
{
    if (connection->worker)
        return connection->worker->pid;
    return connection->state == CONNECTION_PASSED_ON ? connection->record->worker_pid : 0;
}
