/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/worker/news.h"

#include "base/time.h"
#include "dispatcherd/core/completion.h"
#include "dispatcherd/report/report.h"
#include "dispatcherd/store/closer.h"
#include "protocol/channel.h"
#include "protocol/connection_id.h"
#include "protocol/debug.h"

#include <errno.h>
#include <stdalign.h>

/* How long a worker that refuses is left in peace. It drains, as a rule, and is not asked again;
 * where it does not, the next connection, or the same, must not come back at once. */
#define REFUSED_USEC (250 * USEC_PER_MSEC)

static void news_leave_in_peace(struct worker *worker)
{
    struct subject subject = worker_subject(worker, NULL);

    if (!worker->has_refused)
        report(LOG_WARNING, &subject,
               "worker %d has refused a connection, although it has a place for it; others go "
               "first",
               (int)worker->pid);
    worker->has_refused = true;
    worker_rest(worker, REFUSED_USEC);
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

bool worker_take_id(struct worker *worker, enum message_type type, uint64_t id, uint64_t now)
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
    case MESSAGE_ENDED:
        if (connection->state != CONNECTION_ACTIVE)
            return false;
        completion_ended(connection, now);
        return true;
    default:
        return false;
    }
}

bool worker_take_ids(struct worker *worker, const struct message *message)
{
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);

    for (uint32_t i = 0; i < message->value; i++)
        if (!worker_take_id(worker, message->type, message->ids[i], now))
            return false;
    return true;
}

/* It ends: the channel is shut down, so that nothing is added to what it holds. */
void worker_take_last_words(struct worker *worker)
{
    alignas(8) uint8_t bytes[sizeof(struct message_header) + MESSAGE_IDS_MAX * sizeof(uint64_t)];
    bool is_believed = true;

    for (;;) {
        struct message message;
        int fds[CHANNEL_FDS_MAX];
        size_t n_fds;
        pid_t pid;
        ssize_t length =
            channel_receive_any(worker->channel, bytes, sizeof(bytes), fds, &n_fds, &pid);

        /* What lies behind a broken packet is taken out too: it may hold the worker's own end, by
         * which we tell that its unit is gone, or sockets that make whoever closes them wait. */
        is_believed &= length != -EBADMSG;
        for (size_t k = 0; k < n_fds; k++)
            closer_close(fds[k]);
        if (length <= 0 && length != -EBADMSG)
            return;
        if (!is_believed)
            continue;
        for (size_t at = 0; at < (size_t)length; at += message.length) {
            if (message_read(bytes + at, (size_t)length - at, &message) < 0)
                break;
            if (message.ids)
                (void)worker_take_ids(worker, &message);
        }
    }
}
