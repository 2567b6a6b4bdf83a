/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/messages/orders.h"

#include "base/event_source.h"
#include "base/fd.h"
#include "dispatcherd/core/context.h"
#include "dispatcherd/report/report.h"
#include "protocol/channel.h"
#include "protocol/connection_id.h"
#include "protocol/debug.h"
#include "protocol/message.h"

#include <errno.h>
#include <stdalign.h>
#include <stdlib.h>

/* Room for one connection with the longest texts, or for the most connections without any. */
#define CONNECTIONS_BYTES_MAX 4096

static void orders_debug(const struct worker *worker, enum message_type type, uint32_t value)
{
    const uint32_t debug = worker->service->options->debug;

    if (!(debug & DEBUG_CHANNEL_PACKETS))
        return;
    const struct subject subject = worker_subject(worker, NULL);
    report_debug(debug, DEBUG_CHANNEL_PACKETS, &subject, "worker %d is sent %s %u",
                 (int)worker->pid, message_type_to_string(type), value);
}

int orders_await_room(struct worker *worker)
{
    return sd_event_source_set_io_events(worker->channel_source, EPOLLIN | EPOLLOUT);
}

void orders_have_room(struct worker *worker)
{
    event_source_await_input(worker->channel_source);
}

unsigned orders_take_unsent(struct worker *worker, unsigned orders)
{
    unsigned unsent = worker->unsent_orders & orders;

    worker->unsent_orders &= ~orders;
    return unsent;
}

/* Sends a message that is only a value, with a descriptor unless that is -1. `order` is its bit if
 * it is to be sent again when the channel was full; else 0. */
static int orders_send(struct worker *worker, enum message_type type, uint32_t value, int fd,
                       unsigned order)
{
    uint8_t bytes[sizeof(struct message_header)];
    size_t length = message_write_value(bytes, sizeof(bytes), type, value);

    int r = channel_send(worker->channel, bytes, length, &fd, fd >= 0 ? 1 : 0);
    orders_debug(worker, type, value);
    worker->unsent_orders &= ~order;
    if (r != -EAGAIN || order == 0)
        return r;
    worker->unsent_orders |= order;
    return orders_await_room(worker);
}

int order_drain(struct worker *worker)
{
    bool is_stop = worker->is_told_to_stop && worker->knows.stop;

    return orders_send(worker, is_stop ? MESSAGE_STOP : MESSAGE_DRAIN, worker->drain_limit_sec, -1,
                       ORDER_DRAIN);
}

void order_debug(struct worker *worker)
{
    (void)orders_send(worker, MESSAGE_DEBUG, worker->service->options->debug, -1, ORDER_DEBUG);
}

void order_debug_ready(struct worker *worker)
{
    if (worker->start_reason == REASON_ADOPTED || orders_take_unsent(worker, ORDER_DEBUG))
        order_debug(worker);
}

void order_debug_all(struct service *service)
{
    for (unsigned slot = 0; slot < service->pool->n_slots; slot++) {
        struct worker *worker = service->workers[slot];

        if (!worker)
            continue;
        if (worker->state == WORKER_READY || worker->state == WORKER_DRAINING)
            order_debug(worker);
        else
            worker->unsent_orders |= ORDER_DEBUG;
    }
}

int order_log(struct worker *worker, int fd)
{
    return orders_send(worker, MESSAGE_LOG, 0, fd, ORDER_LOG);
}

void order_stress(struct worker *worker, bool is_stressed)
{
    (void)orders_send(worker, MESSAGE_STRESS, is_stressed, -1, ORDER_STRESS);
}

void order_stray_drain(int channel, unsigned limit_sec)
{
    uint8_t bytes[sizeof(struct message_header)];
    size_t length = message_write_value(bytes, sizeof(bytes), MESSAGE_DRAIN, limit_sec);

    (void)channel_send(channel, bytes, length, NULL, 0);
}

int order_welcome(struct worker *worker, int ring, int (*open_log)(struct worker *worker))
{
    const struct service_options *options = worker->service->options;
    const struct context *context = worker->service->context;
    _cleanup_str_ char *bytes = malloc(MESSAGE_BYTES_MAX);
    int fds[2];
    size_t n_fds = 0;

    if (!bytes)
        return -ENOMEM;
    struct message_text text = message_text_start(bytes, MESSAGE_BYTES_MAX, MESSAGE_WELCOME);
    message_text_add_number(&text, "VERSION", PROTOCOL_VERSION);
    message_text_add(&text, "SERVICE", options->name);
    message_text_add_number(&text, "SLOT", worker->slot);
    message_text_add_number(&text, "MAX_CONNS", options->max_conns);
    message_text_add_number(&text, "MAX_LIFE_CONNS", options->max_life_conns);
    message_text_add_number(&text, "STACKSIZE", options->stacksize_bytes);
    message_text_add_number(&text, "DEBUG", options->debug);
    message_text_add_number(&text, "DRAIN_LIMIT", context->stop_limit_sec);
    message_text_add_number(&text, "ALERT", 1);
    message_text_add_number(&text, "OUTCOME", 1);
    message_text_add_number(&text, "TLS", 1);
    message_text_add_number(&text, "PUT_BACK", 1);
    message_text_add(&text, "HOST_NAME", context->host_name);
    for (size_t i = 0; i < options->parameters.n_items; i++)
        message_text_add(&text, "PARAMETER", options->parameters.items[i]);
    if (ring >= 0) {
        message_text_add_number(&text, "RING", worker->ring.n_entries);
        fds[n_fds++] = ring;
    }
    if (text.is_too_long)
        return -EMSGSIZE;
    _cleanup_fd_ int log = open_log(worker);
    if (log >= 0)
        fds[n_fds++] = log;
    orders_debug(worker, MESSAGE_WELCOME, 0);
    return channel_send(worker->channel, bytes, text.length, fds, n_fds);
}

int order_adoption(struct worker *worker, int ring)
{
    char bytes[128];
    struct message_text text = message_text_start(bytes, sizeof(bytes), MESSAGE_ADOPT);

    message_text_add_number(&text, "VERSION", PROTOCOL_VERSION);
    message_text_add_number(&text, "ALERT", 1);
    message_text_add_number(&text, "OUTCOME", 1);
    message_text_add_number(&text, "TLS", 1);
    message_text_add_number(&text, "PUT_BACK", 1);
    if (worker->awaited_answer != 0)
        message_text_add_number(&text, "NUMBER", worker->awaited_answer);
    if (ring >= 0)
        message_text_add_number(&text, "RING", worker->ring.n_entries);
    int r = channel_send(worker->channel, bytes, text.length, &ring, ring >= 0 ? 1 : 0);
    orders_debug(worker, MESSAGE_ADOPT, 0);
    return r;
}

void order_identity(struct worker *worker, const struct connection *connection)
{
    char bytes[sizeof(struct message_header) + IDENT_USER_MAX + 64], id[CONNECTION_ID_BYTES];
    struct message_text text = message_text_start(bytes, sizeof(bytes), MESSAGE_IDENTITY);

    if (!worker->knows.identity)
        return;
    message_text_add(&text, "CONNECTION", connection_id_format(connection->id, id));
    if (connection->ident_user)
        message_text_add(&text, "USER", connection->ident_user);
    orders_debug(worker, MESSAGE_IDENTITY, 0);
    (void)channel_send(worker->channel, bytes, text.length, NULL, 0);
}

struct orders_packet {
    alignas(8) uint8_t bytes[CONNECTIONS_BYTES_MAX];
    size_t length;
    int fds[MESSAGE_FDS_MAX];
    unsigned n;
};

/* An answer is there, or will come. */
static bool orders_has_identity(const struct connection *connection)
{
    return connection->worker->knows.identity &&
           (connection->ident_request || connection->ident_user);
}

/* Returns false if there is no room for another one. */
static bool orders_add_connection(struct orders_packet *packet, const struct connection *connection)
{
    const struct connection_record record = {
        .id = connection->id,
        .accepted_at_usec = connection->accepted_at,
        .peer = connection->peer,
        .local = connection->local,
        .flags = (connection->is_tls ? CONNECTION_FLAG_TLS : 0) |
                 (orders_has_identity(connection) ? CONNECTION_FLAG_IDENTITY : 0),
    };
    size_t length =
        packet->n == MESSAGE_FDS_MAX
            ? 0
            : message_add_connection(packet->bytes, sizeof(packet->bytes), packet->length, &record,
                                     connection->tag ? connection->tag : "",
                                     connection->note ? connection->note : "");
    if (length == 0)
        return false;
    packet->length = length;
    packet->fds[packet->n++] = connection->fd;
    return true;
}

int order_connections(struct worker *worker, struct connection *const connections[], unsigned n)
{
    struct orders_packet packet; /* not initialized: only what is sent is written */

    packet.n = 0;
    packet.length = message_write_value(packet.bytes, sizeof(packet.bytes), MESSAGE_CONNECTION, 0);
    while (packet.n < n && orders_add_connection(&packet, connections[packet.n]))
        ;
    int r = channel_send(worker->channel, packet.bytes, packet.length, packet.fds, packet.n);
    if (r < 0)
        return r;
    orders_debug(worker, MESSAGE_CONNECTION, packet.n);
    for (unsigned i = 0; i < packet.n; i++)
        if (orders_has_identity(connections[i]) && !connections[i]->ident_request)
            order_identity(worker, connections[i]);
    return (int)packet.n;
}
