/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/messages/greeting.h"

#include "base/fd.h"
#include "base/time.h"
#include "dispatcherd/core/context.h"
#include "dispatcherd/core/passed_on.h"
#include "dispatcherd/messages/orders.h"
#include "dispatcherd/messages/worker_log.h"
#include "dispatcherd/messages/worker_ring.h"
#include "dispatcherd/report/message_ids.h"
#include "dispatcherd/report/report.h"
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

/* Whether the worker has this version of a feature that is younger than the protocol. One with
 * another version of rings gets none, and reports by messages. */
static bool greeting_knows(const struct message *hello, const char *name, uint32_t version)
{
    uint32_t ignored;

    return message_find_number(hello, name, version, version, &ignored) == 0;
}

static int greeting_answer(struct worker *worker)
{
    _cleanup_fd_ int ring = -1;

    reserve_release(&worker->service->context->reserve);
    int r = worker->knows.ring ? worker_ring_open(worker, &ring) : 0;
    if (r < 0)
        return r;
    return order_welcome(worker, ring, worker_log_open);
}

static const char *greeting_fault(int error)
{
    switch (error) {
    case -EMSGSIZE:
        return "cannot be sent its PARAMETERs: they are too long";
    case -EFBIG:
        return "cannot be welcomed: its ring is larger than the file size limit (LimitFSIZE= of "
               "dispatcherd.service)";
    default:
        return "cannot be welcomed";
    }
}

struct worker_fault worker_greet(struct worker *worker, const struct message *hello)
{
    const struct subject subject = worker_subject(worker, NULL);

    if (!greeting_has_our_version(hello))
        return (struct worker_fault){
            "speaks none of the versions of the protocol that this dispatcherd knows",
            MESSAGE_ID_WORKER_LIED};
    worker->knows = (struct store_knowledge){
        .ring = greeting_knows(hello, "RING", RING_VERSION),
        .stop = greeting_knows(hello, "STOP", 1),
        .log = greeting_knows(hello, "LOG", 1),
        .stress = greeting_knows(hello, "STRESS", 1),
        .identity = greeting_knows(hello, "IDENTITY", 1),
        .pass = greeting_knows(hello, "PASS", 1),
        .answer = greeting_knows(hello, "ANSWER", 1),
    };
    /* For PUT_BACK. */
    if (worker->knows.pass)
        (void)fd_allow_rights(worker->channel);
    int r = greeting_answer(worker);
    if (r < 0 && r != -EPIPE)
        report(LOG_WARNING, &subject, "worker %d cannot be welcomed: %s", (int)worker->pid,
               strerror(-r));
    if (r < 0)
        return (struct worker_fault){greeting_fault(r), MESSAGE_ID_START_FAILED};
    report_debug(worker->service->options->debug, DEBUG_CHANNEL, &subject,
                 "worker %d has sent HELLO and is welcome", (int)worker->pid);
    return (struct worker_fault){0};
}

/* It was still stored as one that waits: the predecessor died before the service manager took the
 * message that this worker had it. It must not be served twice. */
static void greeting_drop_waiting(const struct service *service, uint64_t id)
{
    struct connection *connection;

    TAILQ_FOREACH(connection, &service->waiting, queue_link)
        if (connection->is_readmitted && connection->id == id)
            break;
    if (connection)
        connection_close(connection, time_now_usec(CLOCK_MONOTONIC));
}

/* If there is a record of it, since the worker might have passed it on, it is known already, and
 * counted for its address. */
static struct connection *greeting_adopt(struct worker *worker,
                                         const struct connection_record *record)
{
    uint32_t n_of_address, n_of_network;
    struct connection *connection =
        worker->knows.pass ? passed_on_take_up(worker, record->id) : NULL;

    if (connection)
        return connection;
    greeting_drop_waiting(worker->service, record->id);
    connection = connection_adopt(worker, record->id, record->accepted_at_usec);
    if (!connection)
        return NULL;
    connection_set_ends(connection, &record->peer, &record->local,
                        record->flags & CONNECTION_FLAG_TLS);
    connection_count(connection, &n_of_address, &n_of_network);
    return connection;
}

const char *greeting_take_held(struct worker *worker, const struct message *held)
{
    struct connection_view view;
    size_t offset = 0;

    while (message_next_connection(held, &offset, &view))
        if (worker->n_held == worker->n_places || !greeting_adopt(worker, view.record))
            return "holds more connections than can be taken over";
    return NULL;
}
