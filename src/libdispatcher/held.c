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

/* Both in one step: whoever ends from now on adds its end to the empty outbox, and it is sent after
 * the answer. */
static int take_stock(dispatcher_worker *worker, struct held *ret)
{
    struct sessions *sessions = &worker->sessions;

    *ret = (struct held){.sessions = calloc(sessions->n_items, sizeof(*ret->sessions))};
    if (!ret->sessions)
        return -ENOMEM;
    pthread_mutex_lock(&sessions->lock);
    for (unsigned i = 0; i < sessions->n_used; i++)
        if (sessions->items[i].is_reserved)
            ret->sessions[ret->n_sessions++] = &sessions->items[i];
    outbox_discard(&worker->outbox);
    if (atomic_load(&worker->is_draining))
        outbox_add(&worker->outbox, OUTBOX_DRAINING, 0);
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
                                             connection->access_tag, connection->access_note);

    return send_patiently(channel, bytes, length);
}

int held_tell(dispatcher_worker *worker)
{
    uint8_t ready[sizeof(struct message_header)];
    struct held held;

    outbox_hold(&worker->outbox);
    int r = take_stock(worker, &held);
    for (unsigned i = 0; i < held.n_sessions && r == 0; i++)
        r = send_connection(worker->channel, &held.sessions[i]->connection);
    if (r == 0)
        r = send_patiently(
            worker->channel, ready,
            message_write_value(ready, sizeof(ready), MESSAGE_READY, worker->sessions.n_items));
    outbox_release(&worker->outbox);
    free(held.sessions);
    return r;
}
