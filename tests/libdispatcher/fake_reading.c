/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* How the dispatcherd of the tests listens: to the channel, and to the ring. */
#include "libdispatcher/fake_dispatcher.h"

#include "base/fd.h"
#include "protocol/channel.h"

#include <check.h>
#include <poll.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

/* Waits for a message. Returns its length, or 0 at the end of the channel. */
static size_t receive(struct fake_dispatcher *fake, struct message *ret)
{
    static alignas(8) uint8_t bytes[MESSAGE_BYTES_MAX];
    static size_t at, end;

    if (fake->has_more) {
        ck_assert_int_eq(message_read(bytes + at, end - at, ret), 0);
        at += ret->length;
        fake->has_more = at < end;
        return ret->length;
    }
    struct pollfd pollfd = {.fd = fake->channel, .events = POLLIN};
    int fds[MESSAGE_FDS_MAX];
    size_t n_fds;
    pid_t pid;

    ck_assert_msg(poll(&pollfd, 1, FAKE_LIMIT_MSEC) == 1, "no message from the worker; it says: %s",
                  fake_text_of(fake->errors));
    ssize_t length = channel_receive(fake->channel, bytes, sizeof(bytes), fds, &n_fds, &pid);
    ck_assert_msg(length >= 0, "receiving from the worker: %s", strerror((int)-length));
    if (length == 0)
        return 0;
    ck_assert_uint_eq(n_fds, 0);
    ck_assert_int_eq(pid, fake->worker);
    ck_assert_int_eq(message_read(bytes, (size_t)length, ret), 0);
    fake->n_packets++;
    at = ret->length;
    end = (size_t)length;
    fake->has_more = at < end;
    return ret->length;
}

void fake_expect_hello(struct fake_dispatcher *fake)
{
    struct message message;

    ck_assert_msg(receive(fake, &message) > 0, "the worker says: %s", fake_text_of(fake->errors));
    ck_assert_str_eq(message_type_to_string(message.type), "HELLO");
    ck_assert_str_eq(message_find_text(&message, "VERSION_MIN"), "1");
    ck_assert_str_eq(message_find_text(&message, "VERSION_MAX"), "1");
    fake->has_asked_ring = message_find_text(&message, "RING") != NULL;
}

static void move(struct fake_dispatcher *fake, enum message_type type, uint64_t id,
                 enum fake_state from, enum fake_state to, size_t *counter)
{
    uint64_t index = id - FAKE_FIRST_ID;

    ck_assert_msg(index < fake->n_connections, "%s of an unknown connection",
                  message_type_to_string(type));
    struct fake_connection *c = &fake->connections[index];
    ck_assert_msg(c->state == from, "%s in state %d of connection %zu",
                  message_type_to_string(type), c->state, (size_t)index);
    c->state = to;
    c->server = fd_close(c->server);
    ++*counter;
}

/* What may stand in a ring, or come by message. */
static void count(struct fake_dispatcher *fake, enum message_type type, uint64_t id)
{
    switch (type) {
    case MESSAGE_ACKNOWLEDGE:
        move(fake, type, id, FAKE_SENT, FAKE_ACKNOWLEDGED, &fake->n_acknowledged);
        break;
    case MESSAGE_REFUSE:
        move(fake, type, id, FAKE_SENT, FAKE_REFUSED, &fake->n_refused);
        break;
    case MESSAGE_ENDED:
        move(fake, type, id, FAKE_ACKNOWLEDGED, FAKE_ENDED, &fake->n_ended);
        break;
    case MESSAGE_DRAINING:
        ck_assert(!fake->is_draining);
        fake->is_draining = true;
        break;
    default:
        ck_abort_msg("unexpected %s", message_type_to_string(type));
    }
}

static void count_entries(struct fake_dispatcher *fake, int n)
{
    ck_assert_int_ge(n, 0);
    if ((size_t)n > fake->n_at_once)
        fake->n_at_once = (size_t)n;
    while (n-- > 0) {
        const struct ring_entry entry = ring_take(&fake->ring);

        count(fake, entry.type, entry.id);
    }
    ring_confirm(&fake->ring);
}

/* Returns false where there is nothing. */
static bool read_ring(struct fake_dispatcher *fake)
{
    int n = fake->ring.memory && !fake->is_adopting ? ring_pending(&fake->ring) : 0;

    if (n != 0)
        count_entries(fake, n);
    return n != 0;
}

static void take_held(struct fake_dispatcher *fake, const struct message *message)
{
    struct connection_view view;
    size_t offset = 0;

    ck_assert(fake->is_adopting);
    while (message_next_connection(message, &offset, &view)) {
        uint64_t index = view.record->id - FAKE_FIRST_ID;

        ck_assert_uint_lt(index, fake->n_asked);
        struct fake_connection *c = &fake->connections[index];
        ck_assert(c->state == FAKE_SENT || c->state == FAKE_ACKNOWLEDGED);
        fake->n_acknowledged += c->state == FAKE_SENT;
        c->state = FAKE_HELD;
        c->server = fd_close(c->server);
        fake->n_held++;
    }
}

static void take_ready(struct fake_dispatcher *fake, uint32_t n_places)
{
    ck_assert_uint_eq(fake->n_ready, 0);
    fake->n_ready = n_places;
    if (!fake->is_adopting)
        return;
    fake->is_adopting = false;
    for (size_t i = 0; i < fake->n_asked; i++) {
        struct fake_connection *c = &fake->connections[i];

        if (c->state == FAKE_HELD) {
            c->state = FAKE_ACKNOWLEDGED;
        } else if (c->state == FAKE_SENT || c->state == FAKE_ACKNOWLEDGED) {
            ck_assert_msg(c->client < 0, "the worker does not hold connection %zu", i);
            fake->n_acknowledged += c->state == FAKE_SENT;
            fake->n_ended++;
            c->state = FAKE_ENDED;
            c->server = fd_close(c->server);
        }
    }
}

/* Numbers go down from 2^64 - 1. */
static void take_answer(struct fake_dispatcher *fake, const struct message *message)
{
    const char *number = message_find_text(message, "NUMBER");

    ck_assert(fake->is_adopting);
    ck_assert_ptr_nonnull(number);
    fake->answered = strtoull(number, NULL, 10);
    ck_assert_uint_ge(fake->answered, fake->number);
}

/* Whether it is part of the answer to an ADOPT before the last one. */
static bool is_old_answer(struct fake_dispatcher *fake, const struct message *message)
{
    if (!fake->is_adopting || fake->answered == fake->number ||
        (message->type != MESSAGE_HELD && message->type != MESSAGE_READY))
        return false;
    ck_assert_uint_gt(fake->answered, fake->number);
    fake->n_old_answers += message->type == MESSAGE_READY;
    return true;
}

static void take_message(struct fake_dispatcher *fake, const struct message *message)
{
    if (is_old_answer(fake, message))
        return;
    switch (message->type) {
    case MESSAGE_READY:
        take_ready(fake, message->value);
        break;
    case MESSAGE_ANSWER:
        take_answer(fake, message);
        break;
    case MESSAGE_HELD:
        take_held(fake, message);
        break;
    case MESSAGE_NEWS:
        ck_assert_ptr_nonnull(fake->ring.memory);
        ring_heard(&fake->ring);
        break;
    case MESSAGE_DRAINING:
        ck_assert_ptr_null(fake->ring.memory);
        count(fake, message->type, 0);
        break;
    default:
        ck_assert_ptr_null(fake->ring.memory);
        ck_assert_ptr_nonnull(message->ids);
        ck_assert_uint_gt(message->value, 0);
        for (uint32_t i = 0; i < message->value; i++)
            count(fake, message->type, message->ids[i]);
    }
}

static void read_message(struct fake_dispatcher *fake)
{
    struct message message;

    if (receive(fake, &message) == 0) {
        fake->is_at_end = true;
        if (fake->ring.memory)
            count_entries(fake, ring_close(&fake->ring));
        return;
    }
    /* Nothing comes between the parts of an answer. */
    ck_assert(fake->n_held == 0 || !fake->is_adopting || message.type == MESSAGE_READY ||
              message.type == MESSAGE_HELD || message.type == MESSAGE_NEWS);
    take_message(fake, &message);
}

void fake_read(struct fake_dispatcher *fake)
{
    ck_assert_msg(!fake->is_at_end, "the channel has ended; the worker says: %s",
                  fake_text_of(fake->errors));
    if (read_ring(fake))
        return;
    if (fake->ring.memory)
        ring_want(&fake->ring, RING_WANTS_ANSWERS | RING_WANTS_ENDS);
    if (!read_ring(fake))
        read_message(fake);
    if (fake->ring.memory)
        ring_want(&fake->ring, 0);
}

bool fake_is_poked(struct fake_dispatcher *fake)
{
    struct pollfd pollfd = {.fd = fake->channel, .events = POLLIN};

    return poll(&pollfd, 1, 0) == 1;
}

void fake_look(struct fake_dispatcher *fake)
{
    while (fake_is_poked(fake) && !fake->is_at_end)
        read_message(fake);
    while (read_ring(fake))
        ;
}
