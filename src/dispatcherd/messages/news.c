/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/messages/news.h"

#include "base/time.h"
#include "dispatcherd/core/completion.h"
#include "dispatcherd/core/passed_on.h"
#include "dispatcherd/report/report.h"
#include "dispatcherd/store/closer.h"
#include "protocol/channel.h"
#include "protocol/connection_id.h"
#include "protocol/debug.h"

#include <errno.h>
#include <stdalign.h>

/* How long a worker that has refused a connection gets none. Usually it drains, and gets no more;
 * if it does not, the next connection, or the same one, must not come back at once. */
#define REFUSED_USEC (250 * USEC_PER_MSEC)

/* When a connection that was put off is offered again. A full server takes the next one when a
 * session ends; one that is down is back within seconds. */
#define PUT_OFF_USEC (100 * USEC_PER_MSEC)

static void news_leave_in_peace(struct worker *worker)
{
    struct subject subject = worker_subject(worker, NULL);

    if (!worker->has_refused)
        report(LOG_WARNING, &subject,
               "worker %d has refused a connection, although it has a place for it; other workers "
               "are preferred for a moment",
               (int)worker->pid);
    worker->has_refused = true;
    worker_rest(worker, REFUSED_USEC);
}

/* The server to which the worker passes connections takes none for now; this is not the worker's
 * fault. */
static void news_put_off(struct worker *worker)
{
    if (worker_in_pool(worker)->state != POOL_WORKER_READY)
        return;
    worker_rest(worker, PUT_OFF_USEC);
    pool_worker_puts_off(worker->service->pool, worker->slot);
}

static void news_report_taken(const struct connection *connection)
{
    struct subject subject = worker_subject(connection->worker, NULL);
    char peer[ADDRESS_TEXT_MAX];

    subject.connection_id = connection->id;
    subject.client = &connection->peer;
    report_event("connection taken", 0, 0, &subject, "%s: worker %d has taken the connection",
                 address_format(&connection->peer, peer), (int)connection->worker->pid);
}

static void news_debug_id(const struct worker *worker, enum message_type type, uint64_t id)
{
    struct subject subject = worker_subject(worker, NULL);

    char text[CONNECTION_ID_BYTES];

    subject.connection_id = id;
    report_debug(worker->service->options->debug, DEBUG_CHANNEL_EXTRA, &subject,
                 "worker %d: %s, connection %s", (int)worker->pid, message_type_to_string(type),
                 connection_id_format(id, text));
}

static enum history_end news_end(enum message_type type)
{
    return type == MESSAGE_FAILED      ? HISTORY_FAILED
           : type == MESSAGE_SENT_AWAY ? HISTORY_SENT_AWAY
                                       : HISTORY_ENDED;
}

bool news_take_id(struct worker *worker, enum message_type type, uint64_t id, uint64_t now)
{
    struct connection *connection = worker_find(worker, id);

    if (worker->service->options->debug & DEBUG_CHANNEL_EXTRA)
        news_debug_id(worker, type, id);
    if (!connection)
        return false;
    switch (type) {
    case MESSAGE_ACKNOWLEDGE:
        if (connection->state != CONNECTION_HANDOFF)
            return false;
        connection_activate(connection, now);
        if (report_is_followed())
            news_report_taken(connection);
        return true;
    case MESSAGE_REFUSE:
        if (connection->state != CONNECTION_HANDOFF)
            return false;
        connection_wait(connection, now);
        if (worker_in_pool(worker)->state == POOL_WORKER_READY)
            news_leave_in_peace(worker);
        return true;
    case MESSAGE_PUT_OFF:
        if (connection->state != CONNECTION_HANDOFF)
            return false;
        connection_take_back(connection, now);
        news_put_off(worker);
        return true;
    case MESSAGE_ENDED:
    case MESSAGE_FAILED:
    case MESSAGE_SENT_AWAY:
        if (connection->state != CONNECTION_ACTIVE)
            return false;
        completion_end(connection, news_end(type), now);
        return true;
    case MESSAGE_PASSED_ON:
        if (connection->state != CONNECTION_ACTIVE || !worker->knows.pass)
            return false;
        passed_on_begin(connection, now);
        return true;
    default:
        return false;
    }
}

bool news_take_ids(struct worker *worker, const struct message *message)
{
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);

    for (uint32_t i = 0; i < message->value; i++)
        if (!news_take_id(worker, message->type, message->ids[i], now))
            return false;
    return true;
}

void news_take_old_ids(struct worker *worker, const struct message *message)
{
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);

    if (message->type != MESSAGE_PUT_OFF && message->type != MESSAGE_REFUSE)
        return;
    for (uint32_t i = 0; i < message->value; i++)
        (void)passed_on_put_back(worker, message->ids[i], NULL, now);
}

/* There may have been no record of it, which is no fault of the worker: then it is closed. */
static void news_take_old_put_back(struct worker *worker, uint64_t id, int *fd, uint64_t now)
{
    struct subject subject = worker_subject(worker, NULL);

    subject.connection_id = id;
    if (!passed_on_put_back(worker, id, fd, now))
        report_debug(worker->service->options->debug, DEBUG_CHANNEL, &subject,
                     "worker %d has put back a connection that is unknown; closing it",
                     (int)worker->pid);
}

bool news_take_put_back(struct worker *worker, const struct message *message, int *fd)
{
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);
    struct connection_view view;
    size_t offset = 0;

    if (!worker->knows.pass || message->value != 1 ||
        !message_next_connection(message, &offset, &view))
        return false;
    if (worker->state == WORKER_ADOPTED) {
        news_take_old_put_back(worker, view.record->id, fd, now);
        return true;
    }
    struct connection *connection = worker_find(worker, view.record->id);
    if (!connection || connection->state != CONNECTION_ACTIVE ||
        !passed_on_is_socket_of(connection, *fd))
        return false;
    connection_put_back(connection, fd, now);
    news_put_off(worker);
    return true;
}

static void news_take_last_put_back(struct worker *worker, const uint8_t *bytes, size_t length,
                                    int *fd)
{
    struct message message;

    if (message_read(bytes, length, &message) == 0 && message.type == MESSAGE_PUT_BACK)
        (void)news_take_put_back(worker, &message, fd);
}

/* Shuts the channel down first, so that nothing is added to what it contains. */
bool news_take_last_words(struct worker *worker)
{
    alignas(8) uint8_t bytes[sizeof(struct message_header) + MESSAGE_IDS_MAX * sizeof(uint64_t)];
    bool is_believed = true, drains = false;

    for (;;) {
        struct message message;
        int fds[CHANNEL_FDS_MAX];
        size_t n_fds;
        pid_t pid;
        ssize_t length =
            channel_receive_any(worker->channel, bytes, sizeof(bytes), fds, &n_fds, &pid);

        /* Packets after a broken one are read too: they may contain the worker's own end of the
         * channel, by which we find out whether its unit exists, or sockets that would make a close
         * wait. */
        is_believed &= length != -EBADMSG;
        if (is_believed && length > 0 && n_fds == 1)
            news_take_last_put_back(worker, bytes, (size_t)length, &fds[0]);
        for (size_t k = 0; k < n_fds; k++)
            if (fds[k] >= 0)
                closer_close(fds[k]);
        if (length <= 0 && length != -EBADMSG)
            return drains;
        if (!is_believed)
            continue;
        for (size_t at = 0; at < (size_t)length; at += message.length) {
            if (message_read(bytes + at, (size_t)length - at, &message) < 0)
                break;
            if (message.ids && worker->state == WORKER_ADOPTED)
                news_take_old_ids(worker, &message);
            else if (message.ids)
                (void)news_take_ids(worker, &message);
            else if (message.type == MESSAGE_DRAINING)
                drains = true;
        }
    }
}
