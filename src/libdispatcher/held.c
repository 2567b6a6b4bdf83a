/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What this worker has, told to a dispatcherd that has taken over from another one. */
#include "libdispatcher/internal.h"

#include "protocol/channel.h"

#include <errno.h>
#include <poll.h>
#include <stdalign.h>
#include <stdlib.h>

/* How long the new dispatcherd may take to read one message of the answer that it asked for. */
#define READ_LIMIT_MSEC 5000

enum {
    MESSAGE_MAX = sizeof(struct message_header) + sizeof(struct connection_record) +
                  2 * CONNECTION_TEXT_MAX + 8
};

struct held {
    struct session **sessions; /* owned */
    unsigned n_sessions;
};

/* Both in one step: whoever ends from now on writes its end to the new ring, and it is read after
 * the answer. */
static int take_stock(dispatcher_worker *worker, struct ring_writer *ring, struct held *ret)
{
    struct sessions *sessions = &worker->sessions;

    *ret = (struct held){.sessions = calloc(sessions->n_items, sizeof(*ret->sessions))};
    if (!ret->sessions)
        return -ENOMEM;
    pthread_mutex_lock(&sessions->lock);
    for (unsigned i = 0; i < sessions->n_used; i++)
        if (sessions->items[i].is_reserved) {
            ret->sessions[ret->n_sessions++] = &sessions->items[i];
            sessions->items[i].acknowledged_at = 0;
        }
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

/* Its fields do not change while the session is reserved; that it may end meanwhile is told
 * later. */
static int send_connection(int channel, const dispatcher_connection *connection)
{
    alignas(8) uint8_t bytes[MESSAGE_MAX];
    const struct connection_record record = {
        .id = connection->id,
        .accepted_at_usec = connection->accepted_at_usec,
        .peer = connection->peer,
        .local = connection->local,
        .flags = connection->is_tls ? CONNECTION_FLAG_TLS : 0,
    };
    size_t length = message_write_connection(bytes, sizeof(bytes), MESSAGE_HELD, &record,
                                             dispatcher_connection_access_tag(connection),
                                             dispatcher_connection_access_note(connection));

    return send_patiently(channel, bytes, length);
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
        r = take_stock(worker, &ring, &held);
    for (unsigned i = 0; i < held.n_sessions && r == 0; i++)
        r = send_connection(worker->channel, &held.sessions[i]->connection);
    if (r == 0)
        r = send_patiently(
            worker->channel, ready,
            message_write_value(ready, sizeof(ready), MESSAGE_READY, worker->sessions.n_items));
    if (r == 0) {
        alert_meet(&worker->alert, message_find_text(adopt, "ALERT") != NULL);
        alert_tell(&worker->alert, worker->channel);
    }
    /* After READY, since what is in the ring is read after that. */
    if (r == 0 && dispatcher_worker_is_draining(worker) &&
        news_tell(&worker->news, MESSAGE_DRAINING, 0) == NEWS_SEND)
        (void)news_send(&worker->news, worker->channel);
    ring_writer_free(&ring);
    free(held.sessions);
    return r;
}
