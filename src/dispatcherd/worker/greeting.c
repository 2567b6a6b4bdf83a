/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/worker/greeting.h"

#include "base/fd.h"
#include "dispatcherd/core/context.h"
#include "dispatcherd/report/message_ids.h"
#include "dispatcherd/report/report.h"
#include "dispatcherd/worker/orders.h"
#include "dispatcherd/worker/ring.h"
#include "dispatcherd/worker/worker_log.h"
#include "protocol/debug.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool greeting_has_our_version(const struct message *hello)
{
    const char *min = message_find_text(hello, "VERSION_MIN");
    const char *max = message_find_text(hello, "VERSION_MAX");

    return min && max && atoi(min) <= PROTOCOL_VERSION && atoi(max) >= PROTOCOL_VERSION;
}

/* One that wants another kind gets none, and tells by messages. */
static bool greeting_asks_for_our_ring(const struct message *hello)
{
    uint32_t version;

    return message_find_number(hello, "RING", RING_VERSION, RING_VERSION, &version) == 0;
}

/* Whether it knows a message that came later than the protocol. */
static bool greeting_knows(const struct message *hello, const char *name)
{
    uint32_t version;

    return message_find_number(hello, name, 1, 1, &version) == 0;
}

static int greeting_answer(struct worker *worker)
{
    _cleanup_fd_ int ring = -1;

    reserve_release(&worker->service->context->reserve);
    int r = worker->has_asked_ring ? worker_ring_open(worker, &ring) : 0;
    if (r < 0)
        return r;
    return order_welcome(worker, ring, worker_log_open);
}

static const char *greeting_fault(int error)
{
    switch (error) {
    case -EMSGSIZE:
        return "cannot be told its PARAMETERs: they are too long";
    case -EFBIG:
        return "cannot be welcomed: the limit of a file's size (LimitFSIZE= of "
               "dispatcherd.service) is below the size of its ring";
    default:
        return "cannot be welcomed";
    }
}

struct worker_fault worker_greet(struct worker *worker, const struct message *hello)
{
    const struct subject subject = worker_subject(worker, NULL);

    if (!greeting_has_our_version(hello))
        return (struct worker_fault){
            "speaks no version of the protocol that this dispatcherd knows",
            MESSAGE_ID_WORKER_LIED};
    worker->has_asked_ring = greeting_asks_for_our_ring(hello);
    worker->knows_stop = greeting_knows(hello, "STOP");
    worker->knows_log = greeting_knows(hello, "LOG");
    worker->knows_stress = greeting_knows(hello, "STRESS");
    int r = greeting_answer(worker);
    if (r < 0 && r != -EPIPE)
        report(LOG_WARNING, &subject, "worker %d cannot be welcomed: %s", (int)worker->pid,
               strerror(-r));
    if (r < 0)
        return (struct worker_fault){greeting_fault(r), MESSAGE_ID_START_FAILED};
    report_debug(worker->service->options->debug, DEBUG_CHANNEL, &subject,
                 "worker %d has said hello, and is welcome", (int)worker->pid);
    return (struct worker_fault){0};
}

const char *worker_take_held(struct worker *worker, const struct message *held)
{
    struct connection_view view;
    uint32_t n_of_address, n_of_network;
    size_t offset = 0;

    while (message_next_connection(held, &offset, &view)) {
        struct connection *connection =
            worker->n_held < worker->n_places
                ? connection_adopt(worker, view.record->id, view.record->accepted_at_usec)
                : NULL;
        if (!connection)
            return "holds more connections than can be taken over";
        connection->peer = view.record->peer;
        connection->local = view.record->local;
        connection->is_tls = view.record->flags & CONNECTION_FLAG_TLS;
        connection_count(connection, &n_of_address, &n_of_network);
    }
    return NULL;
}
