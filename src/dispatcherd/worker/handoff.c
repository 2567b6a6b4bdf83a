/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/worker/handoff.h"

#include "base/time.h"
#include "dispatcherd/core/context.h"
#include "dispatcherd/messages/orders.h"
#include "dispatcherd/report/message_ids.h"
#include "dispatcherd/report/report.h"
#include "dispatcherd/worker/life.h"
#include "dispatcherd/worker/life_limit.h"
#include "protocol/debug.h"

#include <errno.h>
#include <string.h>

/* How long to wait if the kernel allows no more descriptors under way. */
#define RETRY_USEC (50 * USEC_PER_MSEC)

static void handoff_debug(const struct connection *connection, const struct worker *worker)
{
    const struct service_options *options = worker->service->options;
    struct subject subject = worker_subject(worker, NULL);

    if (!(options->debug & DEBUG_CHANNEL_EXTRA))
        return;
    subject.connection_id = connection->id;
    subject.client = &connection->peer;
    report_debug(options->debug, DEBUG_CHANNEL_EXTRA, &subject,
                 "connection goes to worker %d, which has %u", (int)worker->pid, worker->n_held);
}

void handoff_begin(struct service *service, struct worker *worker, uint64_t now)
{
    struct connection *connection = TAILQ_FIRST(&service->waiting);

    handoff_debug(connection, worker);
    connection_hand_off(connection, worker, now);
    unsent_begin(worker, now);
}

/* From the last to the first, so that they wait in their old order. */
static void handoff_take_back(struct worker *worker, uint64_t now)
{
    unsigned n = worker->n_unsent;

    unsent_end(worker, n);
    while (n-- > 0)
        connection_take_back(worker->held[worker->n_held - 1], now);
}

static void handoff_failed(struct worker *worker, int error, uint64_t now)
{
    struct subject subject = worker_subject(worker, MESSAGE_ID_WORKER_HUNG);

    handoff_take_back(worker, now);
    switch (error) {
    case -EAGAIN:
        /* worker/channel.c clears this as soon as the channel has room. */
        if (orders_await_room(worker) == 0)
            worker_block(worker, WORKER_CHANNEL_IS_FULL);
        else
            worker_rest(worker, RETRY_USEC);
        break;
    case -ETOOMANYREFS:
        worker_rest(worker, RETRY_USEC);
        break;
    case -EPIPE:
        worker_channel_ended(worker);
        break;
    default:
        report(LOG_ERR, &subject, "cannot hand a connection to worker %d: %s", (int)worker->pid,
               strerror(-error));
        worker_channel_ended(worker);
        break;
    }
}

/* Sends as many unsent connections as one packet holds, the oldest first. */
static int handoff_send_packet(struct worker *worker, uint64_t now)
{
    int n = order_connections(worker, worker->held + worker->n_held - worker->n_unsent,
                              worker->n_unsent);

    if (n < 0)
        return n;
    unsent_end(worker, (unsigned)n);
    worker_watch_handoffs(worker, now);
    return 0;
}

/* Returns false if some have come back. */
static bool handoff_send_unsent(struct worker *worker, uint64_t now)
{
    while (worker->n_unsent > 0) {
        int r = handoff_send_packet(worker, now);
        if (r < 0) {
            handoff_failed(worker, r, now);
            return false;
        }
    }
    return true;
}

bool handoffs_send(struct service *service, uint64_t now)
{
    bool is_all_sent = true;
    struct worker *worker;

    while ((worker = TAILQ_FIRST(&service->unsent.workers)))
        is_all_sent &= handoff_send_unsent(worker, now);
    return is_all_sent;
}
