/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Reports what this worker holds to a new dispatcherd, which has taken over from another one. */
#include "libdispatcher/internal.h"

#include "protocol/channel.h"

#include <errno.h>
#include <poll.h>
#include <stdalign.h>
#include <stdlib.h>

/* How long the new dispatcherd may take to read one message of the answer it has asked for. */
#define READ_LIMIT_MSEC 5000

enum {
    PUT_OFF_AT_ONCE = 64,  /* in one message: stacks are small */
    ANSWER_BYTES_MAX = 64, /* "NUMBER=" and 20 digits */
};

struct held {
    struct session **sessions; /* owned */
    unsigned n_sessions;
    uint64_t *put_off; /* owned: MESSAGE_IDS_MAX of them, what news of it was not read */
    size_t n_put_off;
};

/* Both in one step: sessions that end from now on write that to the new ring, which is read after
 * the answer. */
static int take_stock(dispatcher_worker *worker, const struct message *adopt,
                      struct ring_writer *ring, struct held *ret)
{
    struct sessions *sessions = &worker->sessions;

    ret->sessions = calloc(sessions->n_items, sizeof(*ret->sessions));
    ret->put_off = calloc(MESSAGE_IDS_MAX, sizeof(*ret->put_off));
    if (!ret->sessions || !ret->put_off)
        return -ENOMEM;
    pthread_mutex_lock(&sessions->lock);
    for (unsigned i = 0; i < sessions->n_used; i++)
        if (sessions->items[i].is_reserved) {
            ret->sessions[ret->n_sessions++] = &sessions->items[i];
            sessions->items[i].acknowledged_at = 0;
        }
    sessions->knows_outcomes = message_find_text(adopt, "OUTCOME") != NULL;
    ret->n_put_off = news_unread_put_off(&worker->news, ret->put_off, MESSAGE_IDS_MAX);
    news_use_ring(&worker->news, ring);
    pthread_mutex_unlock(&sessions->lock);
    return 0;
}

static int send_patiently(int channel, const void *bytes, size_t length)
{
    struct pollfd fd = {.fd = channel, .events = POLLOUT};
    int r;

    while ((r = channel_send(channel, bytes, length, NULL, 0)) == -EAGAIN) {
        r = poll(&fd, 1, READ_LIMIT_MSEC);
        if (r < 0 && errno != EINTR)
            return -errno;
        if (r == 0)
            return -ETIMEDOUT;
    }
    return r;
}

/* Which question this is the answer to: the one who asked before may have died since. */
static int send_number(int channel, const struct message *adopt)
{
    const char *number = message_find_text(adopt, "NUMBER");
    char bytes[ANSWER_BYTES_MAX];

    if (!number)
        return 0;
    struct message_text text = message_text_start(bytes, sizeof(bytes), MESSAGE_ANSWER);
    message_text_add(&text, "NUMBER", number);
    return text.is_too_long ? -EBADMSG : send_patiently(channel, bytes, text.length);
}

size_t held_write(void *bytes, enum message_type type, const dispatcher_connection *connection)
{
    const struct connection_record record = {
        .id = connection->id,
        .accepted_at_usec = connection->accepted_at_usec,
        .peer = connection->peer,
        .local = connection->local,
        .flags = connection->is_tls ? CONNECTION_FLAG_TLS : 0,
    };

    return message_write_connection(bytes, HELD_BYTES_MAX, type, &record,
                                    dispatcher_connection_access_tag(connection),
                                    dispatcher_connection_access_note(connection));
}

/* The fields do not change while the session is reserved. If it ends meanwhile, that is reported
 * later. */
static int send_connection(int channel, const dispatcher_connection *connection)
{
    alignas(8) uint8_t bytes[HELD_BYTES_MAX];

    return send_patiently(channel, bytes, held_write(bytes, MESSAGE_HELD, connection));
}

/* Only what other programs may have been given instead is in doubt: whatever else was offered to
 * us, and is not among what we hold, has ended. */
static int send_put_off(int channel, const struct held *held)
{
    uint8_t bytes[sizeof(struct message_header) + PUT_OFF_AT_ONCE * sizeof(uint64_t)];
    int r = 0;

    for (size_t i = 0; i < held->n_put_off && r == 0; i += PUT_OFF_AT_ONCE) {
        size_t left = held->n_put_off - i;
        size_t n = left < PUT_OFF_AT_ONCE ? left : PUT_OFF_AT_ONCE;

        r = send_patiently(
            channel, bytes,
            message_write_ids(bytes, sizeof(bytes), MESSAGE_PUT_OFF, held->put_off + i, n));
    }
    return r;
}

static int open_ring(const dispatcher_worker *worker, const struct message *adopt, int fd,
                     struct ring_writer *ret)
{
    uint32_t n_entries;
    int r = message_find_number(adopt, "RING", 1, UINT32_MAX, &n_entries);

    return r < 0 ? r : ring_writer_open(ret, fd, n_entries, worker->sessions.n_items);
}

int held_tell(dispatcher_worker *worker, const struct message *adopt, int ring_fd)
{
    uint8_t ready[sizeof(struct message_header)];
    struct held held = {0};
    struct ring_writer ring = {0};

    int r = open_ring(worker, adopt, ring_fd, &ring);
    if (r == 0)
        r = take_stock(worker, adopt, &ring, &held);
    if (r == 0)
        r = send_number(worker->channel, adopt);
    for (unsigned i = 0; i < held.n_sessions && r == 0; i++)
        r = send_connection(worker->channel, &held.sessions[i]->connection);
    if (r == 0)
        r = send_put_off(worker->channel, &held);
    if (r == 0)
        r = send_patiently(
            worker->channel, ready,
            message_write_value(ready, sizeof(ready), MESSAGE_READY, worker->sessions.n_items));
    if (r == 0) {
        worker->welcome.knows_put_back = message_find_text(adopt, "PUT_BACK") != NULL;
        alert_meet(&worker->alert, message_find_text(adopt, "ALERT") != NULL);
        alert_tell(&worker->alert, worker->channel);
        tls_meet(&worker->tls, message_find_text(adopt, "TLS") != NULL);
        for (unsigned i = 0; i < held.n_sessions; i++)
            tls_tell_connection(&held.sessions[i]->connection);
        tls_tell_certificate(worker);
    }
    /* After READY, since the ring is read after that. */
    if (r == 0 && dispatcher_worker_is_draining(worker) &&
        news_tell(&worker->news, MESSAGE_DRAINING, 0) == NEWS_SEND)
        (void)news_send(&worker->news, worker->channel);
    ring_writer_free(&ring);
    free(held.sessions);
    free(held.put_off);
    return r;
}
