/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/checks/checks_store.h"

#include "base/str.h"
#include "base/time.h"
#include "base/timer.h"
#include "dispatcherd/core/connection.h"
#include "dispatcherd/core/service.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the name says, and how, may change with this number. */
#define NAME_VERSION 1

/* When the service manager was too busy to take a message. */
#define RETRY_USEC (USEC_PER_SEC / 10)

struct checks_store {
    sd_event *event;
    struct timer timer;
    bool is_open;
    TAILQ_HEAD(, stored_check) waiting; /* the one that waits longest first */
    size_t n_stored;
    size_t n_pending;                              /* with n_stored at most CHECKS_LEFT_MAX */
    char pending[CHECKS_LEFT_MAX][STORE_NAME_MAX]; /* still to be taken out */
};

/* The name. A dot parts its fields, a colon may be in none: family, port, scope and bytes of an
 * address are hexadecimal. */

static void format_address(struct str_buffer *text, const struct address *address)
{
    str_buffer_add(text, ".%x-%x-%x-", address->family, address->port, address->scope_id);
    for (size_t i = 0; i < sizeof(address->bytes); i++)
        str_buffer_add(text, "%02x", address->bytes[i]);
}

const char *stored_name_format(const struct stored_name *name, char text[STORE_NAME_MAX])
{
    struct str_buffer buffer = str_buffer_init(text, STORE_NAME_MAX);

    str_buffer_add(&buffer, "check.%d.%s.%" PRIx64 ".%d", NAME_VERSION, name->unit_name, name->id,
                   name->is_tls);
    format_address(&buffer, &name->peer);
    format_address(&buffer, &name->local);
    return text;
}

static bool parse_address(const char *text, struct address *ret)
{
    char bytes[2 * sizeof(ret->bytes) + 1];
    unsigned family, port, scope_id;
    int end = 0;

    if (sscanf(text, "%4x-%4x-%8x-%32[0-9a-f]%n", &family, &port, &scope_id, bytes, &end) != 4 ||
        text[end] != '\0' || strlen(bytes) != sizeof(bytes) - 1)
        return false;
    if (family != AF_INET && family != AF_INET6 && family != AF_UNIX && family != AF_UNSPEC)
        return false;
    *ret =
        (struct address){.family = (uint16_t)family, .port = (uint16_t)port, .scope_id = scope_id};
    for (size_t i = 0; i < sizeof(ret->bytes); i++) {
        const char digits[3] = {bytes[2 * i], bytes[2 * i + 1], '\0'};
        ret->bytes[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
    return true;
}

bool stored_name_parse(const char *text, struct stored_name *ret)
{
    char peer[64], local[64], again[STORE_NAME_MAX];
    struct stored_name name = {0};
    unsigned version, tls;

    if (strlen(text) >= STORE_NAME_MAX ||
        sscanf(text, "check.%9u.%" SERVICE_NAME_MAX_TEXT "[^.].%16" SCNx64 ".%1u.%63[^.].%63[^.]",
               &version, name.unit_name, &name.id, &tls, peer, local) != 6)
        return false;
    name.is_tls = tls == 1;
    if (version != NAME_VERSION || !parse_address(peer, &name.peer) ||
        !parse_address(local, &name.local))
        return false;
    /* It is to be found in the store by what we would call it. */
    if (strcmp(stored_name_format(&name, again), text) != 0)
        return false;
    *ret = name;
    return true;
}

static const char *name_of(const struct connection *connection, char text[STORE_NAME_MAX])
{
    struct stored_name name = {
        .id = connection->id,
        .is_tls = connection->is_tls,
        .peer = connection->peer,
        .local = connection->local,
    };

    snprintf(name.unit_name, sizeof(name.unit_name), "%s", connection->service->options->unit_name);
    return stored_name_format(&name, text);
}

/* The store */

/* A copy that stays there would keep the connection open, and come back as another one. */
static void take_out(struct checks_store *store, const char *name)
{
    if (store_remove(name) == 0)
        return;
    strcpy(store->pending[store->n_pending++], name);
}

static void take_out_pending(struct checks_store *store)
{
    while (store->n_pending > 0 && store_remove(store->pending[store->n_pending - 1]) == 0)
        store->n_pending--;
}

static bool put(struct checks_store *store, struct stored_check *check)
{
    char name[STORE_NAME_MAX];

    if (store_add(name_of(check->connection, name), check->connection->fd) < 0)
        return false;
    TAILQ_REMOVE(&store->waiting, check, link);
    check->state = STORED;
    store->n_stored++;
    return true;
}

static bool has_room(const struct checks_store *store, size_t max)
{
    return store->n_stored + store->n_pending < max;
}

/* Many checks end at the same time: what takes the places is best seen after that. */
static void ring_soon(struct checks_store *store)
{
    if (!timer_is_set(&store->timer) && (store->n_pending > 0 || !TAILQ_EMPTY(&store->waiting)))
        timer_set_in(&store->timer, RETRY_USEC);
}

/* Puts what is due into the store. */
static void look(struct checks_store *store)
{
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);
    uint64_t next = USEC_INFINITY;
    struct stored_check *check;

    take_out_pending(store);
    while ((check = TAILQ_FIRST(&store->waiting)) && has_room(store, CHECKS_STORED_MAX)) {
        next = check->since + CHECKS_STORE_AFTER_USEC;
        if (next > now)
            break;
        next = now + RETRY_USEC;
        if (!put(store, check))
            break;
        next = USEC_INFINITY;
    }
    if (store->n_pending > 0 && now + RETRY_USEC < next)
        next = now + RETRY_USEC;
    timer_set_at(&store->timer, next);
}

static void on_timer(void *userdata)
{
    look(userdata);
}

int checks_store_new(sd_event *event, struct checks_store **ret)
{
    struct checks_store *store = calloc(1, sizeof(*store));

    if (!store)
        return -ENOMEM;
    TAILQ_INIT(&store->waiting);
    store->event = sd_event_ref(event);
    int r = timer_init(&store->timer, event, USEC_PER_MSEC, on_timer, store);
    if (r < 0) {
        checks_store_free(store);
        return r;
    }
    *ret = store;
    return 0;
}

void checks_store_open(struct checks_store *store)
{
    store->is_open = true;
}

void checks_store_free(struct checks_store *store)
{
    if (!store)
        return;
    timer_clear(&store->timer);
    sd_event_unref(store->event);
    free(store);
}

void checks_store_enter(struct checks_store *store, struct stored_check *check,
                        const struct connection *connection)
{
    bool was_empty = TAILQ_EMPTY(&store->waiting);

    if (!store->is_open || check->state != STORED_NOT)
        return;
    check->connection = connection;
    check->state = STORED_WAITING;
    check->since = time_now_usec(CLOCK_MONOTONIC);
    TAILQ_INSERT_TAIL(&store->waiting, check, link);
    if (was_empty)
        look(store);
}

void checks_store_adopt(struct checks_store *store, struct stored_check *check,
                        const struct connection *connection)
{
    check->connection = connection;
    check->state = STORED;
    store->n_stored++;
}

void checks_store_leave(struct checks_store *store, struct stored_check *check)
{
    char name[STORE_NAME_MAX];

    switch (check->state) {
    case STORED_NOT:
        return;
    case STORED_WAITING:
        TAILQ_REMOVE(&store->waiting, check, link);
        break;
    case STORED:
        store->n_stored--;
        take_out(store, name_of(check->connection, name));
        ring_soon(store);
        break;
    }
    check->state = STORED_NOT;
}

bool checks_store_keep(struct checks_store *store, struct stored_check *check)
{
    if (check->state == STORED_WAITING && has_room(store, CHECKS_LEFT_MAX))
        (void)put(store, check);
    if (check->state != STORED)
        return false;
    check->state = STORED_NOT;
    return true;
}
