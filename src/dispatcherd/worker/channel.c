/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/worker/channel.h"

#include "dispatcherd/core/backend.h"
#include "dispatcherd/core/context.h"
#include "dispatcherd/report/message_ids.h"
#include "dispatcherd/report/report.h"
#include "dispatcherd/store/closer.h"
#include "dispatcherd/worker/life.h"
#include "dispatcherd/worker/news.h"
#include "dispatcherd/worker/orders.h"
#include "dispatcherd/worker/stress.h"
#include "dispatcherd/worker/worker_log.h"
#include "protocol/channel.h"
#include "protocol/debug.h"
#include "protocol/message.h"

#include <assert.h>
#include <errno.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

/* Packets read from one worker before the others have their turn. */
#define MESSAGES_AT_ONCE 16

/* The longest packet from a worker: identifiers, or connections that it tells of. */
#define MESSAGE_FROM_WORKER_MAX (sizeof(struct message_header) + MESSAGE_IDS_MAX * sizeof(uint64_t))

static_assert(MESSAGE_FROM_WORKER_MAX >= sizeof(struct message_header) +
                                             sizeof(struct connection_record) +
                                             2 * CONNECTION_TEXT_MAX + 8,
              "room for one connection");

/* What stands in a ring could not be put into order with what comes by message. */
static void channel_take_news(struct worker *worker, const struct message *message)
{
    if (worker->ring.memory)
        worker_lied(worker, "has a ring, and does not use it");
    else if (message->type == MESSAGE_DRAINING)
        worker_happens(worker, WORKER_SAYS_DRAINS, &(struct worker_happening){0});
    else if (!worker_take_ids(worker, message))
        worker_lied(worker, "has told of a connection that it does not have");
}

static void channel_take_message(struct worker *worker, const struct message *message)
{
    const struct worker_happening how = {.message = message};

    switch (message->type) {
    case MESSAGE_HELLO:
        worker_happens(worker, WORKER_SAYS_HELLO, &how);
        break;
    case MESSAGE_HELD:
        worker_happens(worker, WORKER_SAYS_HELD, &how);
        break;
    case MESSAGE_READY:
        worker_happens(worker, WORKER_SAYS_READY, &how);
        break;
    case MESSAGE_ACKNOWLEDGE:
    case MESSAGE_REFUSE:
    case MESSAGE_ENDED:
    case MESSAGE_DRAINING:
        /* What an adopted worker sent to our predecessor means nothing to us: its answer is
         * awaited, which holds it all. */
        if (worker->state != WORKER_ADOPTED)
            channel_take_news(worker, message);
        break;
    case MESSAGE_NEWS:
        /* service->dispatch reads all rings. */
        if (worker->ring.memory)
            ring_heard(&worker->ring);
        else
            worker_lied(worker, "has told of a ring that it does not have");
        break;
    case MESSAGE_ALERT:
        if (!backend_take(worker, message))
            worker_lied(worker, "has raised an alert before it was welcome");
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
                 "worker %d says %s %u", (int)worker->pid, message_type_to_string(message->type),
                 message->value);
}

/* Acts on a packet, message by message, for as long as the worker is to be believed. Returns false
 * where nothing is likely to come behind it: after NEWS, which comes alone. */
static bool channel_take_packet(struct worker *worker, const uint8_t *bytes, size_t length)
{
    struct message message = {0};

    for (size_t at = 0; at < length && worker->state < WORKER_CLOSED; at += message.length) {
        if (message_read(bytes + at, length - at, &message) < 0) {
            worker_lied(worker, "has sent what is no message");
            return false;
        }
        if (worker->service->options->debug & DEBUG_CHANNEL_PACKETS)
            channel_debug_message(worker, &message);
        channel_take_message(worker, &message);
    }
    return worker->state < WORKER_CLOSED && message.type != MESSAGE_NEWS;
}

/* No fault of the worker: it finishes its sessions when the channel ends. */
static void channel_report_unreadable(const struct worker *worker, int error)
{
    const struct subject subject = worker_subject(worker, MESSAGE_ID_WORKER_HUNG);

    report(LOG_ERR, &subject,
           "cannot read the channel of worker %d: %s; closing it, and the worker ends when its "
           "sessions are over",
           (int)worker->pid, strerror(-error));
}

/* Reads one packet and acts on it. Returns 0 where nothing more is to be read for now (what is
 * there all the same wakes us again), -EPIPE at the end of the channel, 1 otherwise. */
static int channel_read_packet(struct worker *worker)
{
    alignas(8) uint8_t bytes[MESSAGE_FROM_WORKER_MAX];
    int fds[CHANNEL_FDS_MAX];
    size_t n_fds;
    pid_t pid;
    ssize_t length = channel_receive_any(worker->channel, bytes, sizeof(bytes), fds, &n_fds, &pid);

    /* ENOMEM and ENOBUFS are the kernel's; the packet is still there. */
    if (length == -EAGAIN || length == -ENOMEM || length == -ENOBUFS)
        return 0;
    if (length == 0)
        return -EPIPE;
    for (size_t i = 0; i < n_fds; i++)
        closer_close(fds[i]);
    if (length < 0 && length != -EBADMSG) {
        channel_report_unreadable(worker, (int)length);
        return -EPIPE;
    }
    if (length < 0 || n_fds > 0) {
        worker_lied(worker, "has sent what is no message");
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
    pool_worker_blocked(worker->service->pool, worker->slot, false);
    orders_have_room(worker);
    unsigned unsent = orders_take_unsent(worker, ORDER_DRAIN | ORDER_LOG | ORDER_STRESS);
    if (unsent & ORDER_DRAIN)
        worker_send_drain(worker);
    if (unsent & ORDER_LOG)
        worker_log_send_again(worker);
    if (unsent & ORDER_STRESS)
        stress_send_again(worker);
}

static int channel_on_event(_unused_ sd_event_source *source, _unused_ int fd, uint32_t events,
                            void *userdata)
{
    struct worker *worker = userdata;
    struct service *service = worker->service;
    int r = 1;

    if (events & EPOLLOUT)
        channel_has_room(worker);
    if (worker->channel >= 0 && events & (EPOLLIN | EPOLLHUP | EPOLLERR))
        for (int i = 0; i < MESSAGES_AT_ONCE && r > 0; i++)
            r = channel_read_packet(worker);
    if (r == -EPIPE) {
        (void)worker_read_ring(worker);
        worker_channel_ended(worker);
    }
    service_touch(service);
    return 0;
}

int worker_channel_watch(struct worker *worker)
{
    return sd_event_add_io(worker->service->context->event, &worker->channel_source,
                           worker->channel, EPOLLIN, channel_on_event, worker);
}

bool workers_read_rings(struct service *service)
{
    bool has_read = false;

    for (unsigned slot = 0; slot < service->pool->n_slots; slot++)
        if (service->workers[slot])
            has_read |= worker_read_ring(service->workers[slot]);
    return has_read;
}

bool workers_want_news(struct service *service, uint32_t wanted)
{
    bool is_new = false;

    for (unsigned slot = 0; slot < service->pool->n_slots; slot++) {
        struct worker *worker = service->workers[slot];

        if (!worker || !worker->ring.memory || worker->ring.wanted == wanted)
            continue;
        is_new |= (wanted & ~worker->ring.wanted) != 0;
        ring_want(&worker->ring, wanted);
    }
    return is_new && workers_read_rings(service);
}

void workers_set_debug(struct service *service)
{
    for (unsigned slot = 0; slot < service->pool->n_slots; slot++) {
        struct worker *worker = service->workers[slot];

        if (worker && (worker->state == WORKER_READY || worker->state == WORKER_DRAINING))
            order_debug(worker);
    }
}
