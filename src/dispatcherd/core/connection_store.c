/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/core/connection_store.h"

#include "base/time.h"
#include "base/timer.h"
#include "dispatcherd/core/connection.h"
#include "dispatcherd/core/context.h"
#include "dispatcherd/core/service.h"
#include "pool/policy.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How long to wait if the service manager was too busy to take a message. */
#define RETRY_USEC (USEC_PER_SEC / 10)

static_assert(POLICY_PUT_OFF_MAX <= CONNECTIONS_STORED_MAX,
              "all that wait for a server are stored");

struct connection_store {
    sd_event *event;
    struct timer timer;
    bool is_open;
    bool is_left;                                    /* connection_store_left() */
    size_t max_stored;                               /* at most CONNECTIONS_STORED_MAX */
    struct connection_queue waiting[N_STORED_KINDS]; /* each: the one that waits longest first */
    size_t n_stored[N_STORED_KINDS];
    size_t n_pending; /* with n_stored at most CONNECTIONS_LEFT_MAX */
    char pending[CONNECTIONS_LEFT_MAX][STORE_NAME_MAX]; /* still to be taken out */
};

static const char *name_of(const struct connection *connection, char text[STORE_NAME_MAX])
{
    struct stored_name name = {
        .kind = connection->stored.kind,
        .id = connection->id,
        .is_tls = connection->is_tls,
        .peer = connection->peer,
        .local = connection->local,
        .accepted_at = connection->accepted_at,
    };

    snprintf(name.unit_name, sizeof(name.unit_name), "%s", connection->service->options->unit_name);
    return stored_name_format(&name, text);
}

/* The store */

/* A descriptor that stayed there would keep the connection open, and a successor would adopt it. */
static void take_out(struct connection_store *store, const char *name)
{
    if (store->is_left || store_remove(name) == 0)
        return;
    strcpy(store->pending[store->n_pending++], name);
}

static void take_out_pending(struct connection_store *store)
{
    while (store->n_pending > 0 && store_remove(store->pending[store->n_pending - 1]) == 0)
        store->n_pending--;
}

/* What is still to be taken out goes first: it may be the same connection, which would be taken out
 * after it was put in, or be there twice, and be served twice by a successor. */
static bool put(struct connection_store *store, struct connection *connection)
{
    char name[STORE_NAME_MAX];

    take_out_pending(store);
    if (store->n_pending > 0 || store_add(name_of(connection, name), connection->fd) < 0)
        return false;
    TAILQ_REMOVE(&store->waiting[connection->stored.kind], connection, stored.link);
    connection->stored.state = STORED;
    store->n_stored[connection->stored.kind]++;
    return true;
}

static size_t n_stored(const struct connection_store *store)
{
    return store->n_stored[STORED_CHECK] + store->n_stored[STORED_WAIT] + store->n_pending;
}

static bool has_room(const struct connection_store *store, enum stored_kind kind)
{
    return n_stored(store) < store->max_stored &&
           (kind != STORED_CHECK || store->n_stored[kind] < CHECKS_STORED_MAX);
}

static bool has_waiting(const struct connection_store *store)
{
    return !TAILQ_EMPTY(&store->waiting[STORED_CHECK]) ||
           !TAILQ_EMPTY(&store->waiting[STORED_WAIT]);
}

/* Many waits end at the same time: what takes the places is best seen after that. */
static void ring_soon(struct connection_store *store)
{
    if (!timer_is_set(&store->timer) && (store->n_pending > 0 || has_waiting(store)))
        timer_set_in(&store->timer, RETRY_USEC);
}

/* Puts what is due into the store. Returns when to look again. */
static uint64_t look_at_kind(struct connection_store *store, enum stored_kind kind, uint64_t now)
{
    struct connection *connection;

    while ((connection = TAILQ_FIRST(&store->waiting[kind])) && has_room(store, kind)) {
        uint64_t due = connection->stored.since + CONNECTION_STORE_AFTER_USEC;

        if (due > now)
            return due;
        if (!put(store, connection))
            return now + RETRY_USEC;
    }
    return USEC_INFINITY;
}

static void look(struct connection_store *store)
{
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);
    uint64_t next = USEC_INFINITY;

    take_out_pending(store);
    for (unsigned kind = 0; kind < N_STORED_KINDS; kind++) {
        uint64_t at = look_at_kind(store, (enum stored_kind)kind, now);

        next = at < next ? at : next;
    }
    if (store->n_pending > 0 && now + RETRY_USEC < next)
        next = now + RETRY_USEC;
    timer_set_at(&store->timer, next);
}

static void on_timer(void *userdata)
{
    look(userdata);
}

int connection_store_new(sd_event *event, struct connection_store **ret)
{
    struct connection_store *store = calloc(1, sizeof(*store));

    if (!store)
        return -ENOMEM;
    for (unsigned kind = 0; kind < N_STORED_KINDS; kind++)
        TAILQ_INIT(&store->waiting[kind]);
    store->event = sd_event_ref(event);
    int r = timer_init(&store->timer, event, USEC_PER_MSEC, on_timer, store);
    if (r < 0) {
        connection_store_free(store);
        return r;
    }
    *ret = store;
    return 0;
}

void connection_store_open(struct connection_store *store, size_t max)
{
    assert(max <= CONNECTIONS_STORED_MAX);
    store->is_open = true;
    store->max_stored = max;
}

void connection_store_left(struct connection_store *store)
{
    take_out_pending(store);
    store->is_left = true;
}

void connection_store_free(struct connection_store *store)
{
    if (!store)
        return;
    timer_clear(&store->timer);
    sd_event_unref(store->event);
    free(store);
}

static struct connection_store *store_of(const struct connection *connection)
{
    return connection->service->context->connection_store;
}

void connection_store_enter(struct connection *connection, enum stored_kind kind)
{
    struct connection_store *store = store_of(connection);

    if (!store || !store->is_open || connection->stored.state != STORED_NOT)
        return;
    connection->stored = (struct stored_connection){
        .kind = connection->tag || connection->note ? STORED_CHECK : kind,
        .state = STORED_WAITING,
        .since = time_now_usec(CLOCK_MONOTONIC),
    };
    struct connection_queue *waiting = &store->waiting[connection->stored.kind];
    bool was_empty = TAILQ_EMPTY(waiting);
    TAILQ_INSERT_TAIL(waiting, connection, stored.link);
    if (was_empty)
        look(store);
}

void connection_store_enter_now(struct connection *connection)
{
    struct connection_store *store = store_of(connection);

    connection_store_enter(connection, STORED_WAIT);
    if (connection->stored.state == STORED_WAITING && has_room(store, connection->stored.kind))
        (void)put(store, connection);
}

void connection_store_adopt(struct connection *connection, enum stored_kind kind)
{
    struct connection_store *store = store_of(connection);

    if (!store)
        return;
    connection->stored.kind = kind;
    connection->stored.state = STORED;
    store->n_stored[kind]++;
}

void connection_store_leave(struct connection *connection)
{
    struct connection_store *store = store_of(connection);
    char name[STORE_NAME_MAX];

    switch (connection->stored.state) {
    case STORED_NOT:
        return;
    case STORED_WAITING:
        TAILQ_REMOVE(&store->waiting[connection->stored.kind], connection, stored.link);
        break;
    case STORED:
        store->n_stored[connection->stored.kind]--;
        take_out(store, name_of(connection, name));
        ring_soon(store);
        break;
    }
    connection->stored.state = STORED_NOT;
}

bool connection_store_keep(struct connection *connection)
{
    struct connection_store *store = store_of(connection);

    if (connection->stored.state == STORED_WAITING && n_stored(store) < CONNECTIONS_LEFT_MAX)
        (void)put(store, connection);
    if (connection->stored.state != STORED)
        return false;
    connection->stored.state = STORED_NOT;
    return true;
}
