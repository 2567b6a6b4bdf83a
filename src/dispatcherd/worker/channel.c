/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/worker/channel.h"

#include "dispatcherd/core/backend.h"
#include "dispatcherd/core/context.h"
#include "dispatcherd/messages/news.h"
#include "dispatcherd/messages/orders.h"
#include "dispatcherd/messages/stress.h"
#include "dispatcherd/messages/tls.h"
#include "dispatcherd/messages/worker_log.h"
#include "dispatcherd/report/message_ids.h"
#include "dispatcherd/report/report.h"
#include "dispatcherd/store/closer.h"
#include "dispatcherd/worker/life.h"
#include "dispatcherd/worker/ring_poll.h"
#include "protocol/channel.h"
#include "protocol/debug.h"
#include "protocol/message.h"

#include <assert.h>
#include <errno.h>
#include <stdalign.h>
#include <string.h>

/* How many packets of one worker are read before the others have their turn. */
#define MESSAGES_AT_ONCE 16

/* Of an adopted worker, which names each of its sessions in a packet. All workers answer at once,
 * and for each that has its turn the kernel looks at the channels of all the others. */
#define ANSWERS_AT_ONCE 128

/* The longest packet from a worker: identifiers, or connections that it reports. */
#define MESSAGE_FROM_WORKER_MAX (sizeof(struct message_header) + MESSAGE_IDS_MAX * sizeof(uint64_t))

static_assert(MESSAGE_FROM_WORKER_MAX >= sizeof(struct message_header) +
                                             sizeof(struct connection_record) +
                                             2 * CONNECTION_TEXT_MAX + 8,
              "room for one connection");

/* News by message is refused if the worker has a ring: the order between both would be unknown. */
static void channel_take_news(struct worker *worker, const struct message *message)
{
    /* What an adopted worker sent to our predecessor means little to us: its answer is awaited,
     * which holds it all. */
    if (worker->state == WORKER_ADOPTED)
        news_take_old_ids(worker, message);
    else if (worker->ring.memory)
        worker_lied(worker, "has a ring, and does not use it");
    else if (message->type == MESSAGE_DRAINING)
        worker_happens(worker, WORKER_SAYS_DRAINS, &(struct worker_happening){0});
    else if (!news_take_ids(worker, message))
        worker_lied(worker, "has reported a connection that it does not have");
}

static void channel_take_certificate(struct worker *worker, const struct message *message)
{
    switch (certificate_take(worker, message)) {
    case CERTIFICATE_UNTIMELY:
        worker_lied(worker, "has reported a certificate before it was welcome");
        break;
    case CERTIFICATE_EXPIRED:
        worker_give_up(worker, "has a certificate that has expired", MESSAGE_ID_START_FAILED);
        break;
    case CERTIFICATE_TAKEN:
        break;
    }
}

static void channel_take_message(struct worker *worker, const struct message *message)
{
    const struct worker_happening how = {.message = message};

    if (message_type_has_ids(message->type) || message->type == MESSAGE_DRAINING) {
        channel_take_news(worker, message);
        return;
    }
    switch (message->type) {
    case MESSAGE_HELLO:
        worker_happens(worker, WORKER_SAYS_HELLO, &how);
        break;
    case MESSAGE_ANSWER:
        worker_happens(worker, WORKER_SAYS_ANSWER, &how);
        break;
    case MESSAGE_HELD:
        worker_happens(worker, WORKER_SAYS_HELD, &how);
        break;
    case MESSAGE_READY:
        worker_happens(worker, WORKER_SAYS_READY, &how);
        break;
    case MESSAGE_NEWS:
        /* Its ring is looked at when the packets have been read. */
        if (worker->ring.memory)
            ring_heard(&worker->ring);
        else
            worker_lied(worker, "has sent NEWS without having a ring");
        break;
    case MESSAGE_ALERT:
        /* Until it answers us, the alert is an old one: it is sent again after the answer. */
        if (worker->awaited_answer == 0 && !backend_take(worker, message))
            worker_lied(worker, "has raised an alert before it was welcome");
        break;
    case MESSAGE_TLS:
        if (!tls_take(worker, message))
            worker_lied(worker, "has reported TLS before it was welcome");
        break;
    case MESSAGE_CERTIFICATE:
        channel_take_certificate(worker, message);
        break;
    default:
        worker_lied(worker, "has sent a message that only dispatcherd sends");
        break;
    }
}

static void channel_debug_message(const struct worker *worker, const struct message *message)
{
    struct subject subject = worker_subject(worker, NULL);

    report_debug(worker->service->options->debug, DEBUG_CHANNEL_PACKETS, &subject,
                 "worker %d sends %s %u", (int)worker->pid, message_type_to_string(message->type),
                 message->value);
}

/* Handles the messages of a packet until one breaks a rule. Returns false if no further packet is
 * likely: after NEWS, which is sent alone. */
static bool channel_take_packet(struct worker *worker, const uint8_t *bytes, size_t length)
{
    struct message message = {0};

    for (size_t at = 0; at < length && worker->state < WORKER_CLOSED; at += message.length) {
        if (message_read(bytes + at, length - at, &message) < 0) {
            worker_lied(worker, "has sent an invalid message");
            return false;
        }
        if (worker->service->options->debug & DEBUG_CHANNEL_PACKETS)
            channel_debug_message(worker, &message);
        channel_take_message(worker, &message);
    }
    return worker->state < WORKER_CLOSED && message.type != MESSAGE_NEWS;
}

/* The worker is not at fault: it will finish its sessions when the channel ends. */
static void channel_report_unreadable(const struct worker *worker, int error)
{
    const struct subject subject = worker_subject(worker, MESSAGE_ID_WORKER_HUNG);

    report(LOG_ERR, &subject,
           "cannot read the channel of worker %d: %s; closing it; the worker exits when its "
           "sessions have ended",
           (int)worker->pid, strerror(-error));
}

/* The one message that has a descriptor, and comes alone. Returns false if it is another. */
static bool channel_take_put_back(struct worker *worker, const uint8_t *bytes, size_t length,
                                  int *fd)
{
    struct message message;

    if (message_read(bytes, length, &message) < 0 || message.type != MESSAGE_PUT_BACK ||
        message.length != length)
        return false;
    if (worker->service->options->debug & DEBUG_CHANNEL_PACKETS)
        channel_debug_message(worker, &message);
    /* What it has acknowledged in its ring comes first. */
    (void)worker_catch_up(worker);
    if (worker->state < WORKER_CLOSED && !news_take_put_back(worker, &message, fd))
        worker_lied(worker, "has put back a connection that it does not have");
    return true;
}

/* Reads and handles one packet. Returns 0 if no more is to be read for now (if there is more, the
 * loop wakes us again), -EPIPE at the end of the channel, 1 otherwise. */
static int channel_read_packet(struct worker *worker)
{
    alignas(8) uint8_t bytes[MESSAGE_FROM_WORKER_MAX];
    int fds[CHANNEL_FDS_MAX];
    size_t n_fds;
    pid_t pid;
    ssize_t length = channel_receive_any(worker->channel, bytes, sizeof(bytes), fds, &n_fds, &pid);

    /* ENOMEM and ENOBUFS are errors of the kernel; the packet is still there. */
    if (length == -EAGAIN || length == -ENOMEM || length == -ENOBUFS)
        return 0;
    if (length == 0)
        return -EPIPE;
    bool is_put_back =
        length > 0 && n_fds == 1 && channel_take_put_back(worker, bytes, (size_t)length, &fds[0]);
    for (size_t i = 0; i < n_fds; i++)
        if (fds[i] >= 0)
            closer_close(fds[i]);
    if (is_put_back)
        return worker->state < WORKER_CLOSED;
    if (length < 0 && length != -EBADMSG) {
        channel_report_unreadable(worker, (int)length);
        return -EPIPE;
    }
    if (length < 0 || n_fds > 0) {
        worker_lied(worker, "has sent an invalid message");
        return 0;
    }
    if (worker->pid == 0 && pid > 0 && worker_watch_process(worker, pid, false) < 0) {
        worker_give_up(worker, "cannot be watched", MESSAGE_ID_START_FAILED);
        return 0;
    }
    return channel_take_packet(worker, bytes, (size_t)length) ? 1 : 0;
}

static void channel_has_room(struct worker *worker)
{
    worker_unblock(worker, WORKER_CHANNEL_IS_FULL);
    orders_have_room(worker);
    unsigned unsent = orders_take_unsent(worker, ~0u);
    if (unsent & ORDER_DRAIN)
        worker_send_drain(worker);
    if (unsent & ORDER_LOG)
        worker_log_send_again(worker);
    if (unsent & ORDER_STRESS)
        stress_send_again(worker);
    if ((unsent & ORDER_DEBUG) && worker->channel >= 0)
        order_debug(worker);
}

static int channel_on_event(_unused_ sd_event_source *source, _unused_ int fd, uint32_t events,
                            void *userdata)
{
    struct worker *worker = userdata;
    struct service *service = worker->service;
    int n_at_once = worker->state == WORKER_ADOPTED ? ANSWERS_AT_ONCE : MESSAGES_AT_ONCE;
    int r = 1;

    if (events & EPOLLOUT)
        channel_has_room(worker);
    if (worker->channel >= 0 && events & (EPOLLIN | EPOLLHUP | EPOLLERR))
        for (int i = 0; i < n_at_once && r > 0; i++)
            r = channel_read_packet(worker);
    if (r == -EPIPE) {
        (void)worker_catch_up(worker);
        worker_channel_ended(worker);
    } else {
        ring_poll_one(worker);
    }
    service_touch(service);
    return 0;
}

int worker_channel_watch(struct worker *worker)
{
    return sd_event_add_io(worker->service->context->event, &worker->channel_source,
                           worker->channel, EPOLLIN, channel_on_event, worker);
}
