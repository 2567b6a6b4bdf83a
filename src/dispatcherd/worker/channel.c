#include "dispatcherd/worker/channel.h"

#include "base/str.h"
#include "base/time.h"
#include "dispatcherd/core/backend.h"
#include "dispatcherd/core/context.h"
#include "dispatcherd/report/message_ids.h"
#include "dispatcherd/report/report.h"
#include "dispatcherd/store/closer.h"
#include "dispatcherd/worker/end.h"
#include "dispatcherd/worker/news.h"
#include "dispatcherd/worker/ring.h"
#include "dispatcherd/worker/stress.h"
#include "dispatcherd/worker/welcome.h"
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

static bool speaks_our_version(const struct message *hello)
{
    const char *min = message_find_text(hello, "VERSION_MIN");
    const char *max = message_find_text(hello, "VERSION_MAX");

    return min && max && atoi(min) <= PROTOCOL_VERSION && atoi(max) >= PROTOCOL_VERSION;
}

/* One that wants another kind gets none, and tells by messages. */
static bool asks_for_our_ring(const struct message *hello)
{
    uint32_t version;

    return message_find_number(hello, "RING", RING_VERSION, RING_VERSION, &version) == 0;
}

/* Whether it knows a message that came later than the protocol. */
static bool knows(const struct message *hello, const char *name)
{
    uint32_t version;

    return message_find_number(hello, name, 1, 1, &version) == 0;
}

static void welcome(struct worker *worker)
{
    const struct subject subject = worker_subject(worker, NULL);

    worker->is_welcome = true;
    report_debug(worker->service->options->debug, DEBUG_CHANNEL, &subject,
                 "worker %d has said hello, and is welcome", (int)worker->pid);
}

static void tell_unwelcome(const struct worker *worker, int error)
{
    const struct subject subject = worker_subject(worker, NULL);

    report(LOG_WARNING, &subject, "worker %d cannot be welcomed: %s", (int)worker->pid,
           strerror(-error));
}

static const char *welcome_fault(int error)
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

static void take_hello(struct worker *worker, const struct message *hello)
{
    if (worker->is_welcome) {
        worker_lied(worker, "has said hello twice");
        return;
    }
    if (!speaks_our_version(hello)) {
        worker_lied(worker, "speaks no version of the protocol that this dispatcherd knows");
        return;
    }
    worker->has_asked_ring = asks_for_our_ring(hello);
    worker->knows_stop = knows(hello, "STOP");
    worker->knows_log = knows(hello, "LOG");
    worker->knows_stress = knows(hello, "STRESS");
    int r = welcome_send(worker);
    if (r < 0 && r != -EPIPE)
        tell_unwelcome(worker, r);
    if (r < 0)
        worker_give_up(worker, welcome_fault(r), MESSAGE_ID_START_FAILED);
    else
        welcome(worker);
}

static void take_held(struct worker *worker, const struct message *message)
{
    struct connection_view view;
    uint32_t n_of_address, n_of_network;
    size_t offset = 0;

    if (!worker_is_being_adopted(worker)) {
        worker_lied(worker, "has told what it holds without being asked");
        return;
    }
    while (message_next_connection(message, &offset, &view)) {
        struct connection *connection =
            worker->n_held < worker->n_places
                ? connection_adopt(worker, view.record->id, view.record->accepted_at_usec)
                : NULL;
        if (!connection) {
            worker_lied(worker, "holds more connections than can be taken over");
            return;
        }
        connection->peer = view.record->peer;
        connection->local = view.record->local;
        connection->is_tls = view.record->flags & CONNECTION_FLAG_TLS;
        connection_count(connection, &n_of_address, &n_of_network);
    }
}

static void take_ready(struct worker *worker, uint32_t n_connections)
{
    struct service *service = worker->service;
    const struct pool_worker *in_pool = worker_in_pool(worker);
    struct subject subject = worker_subject(worker, NULL);

    if (in_pool->state == POOL_WORKER_DRAINING)
        return; /* it was sent away in the meantime */
    if (!worker->is_welcome || in_pool->state != POOL_WORKER_STARTING || n_connections == 0 ||
        n_connections > worker->n_places) {
        worker_lied(worker, "has said that it is ready when it could not be");
        return;
    }
    if (n_connections < service->options->max_conns && !worker->is_adopted)
        report(LOG_WARNING, &subject, "worker %d has threads for %u %s, not for MAX_CONNS=%u",
               (int)worker->pid, n_connections,
               str_plural(n_connections, "connection", "connections"), service->options->max_conns);
    worker->limit_source = sd_event_source_disable_unref(worker->limit_source);
    pool_worker_ready(service->pool, worker->slot, n_connections, time_now_usec(CLOCK_MONOTONIC));
    service->start_error[0] = '\0';
    if (!worker->is_stored)
        worker_store(worker);
    if (worker->is_adopted)
        worker_log_adopt(worker);
    stress_tell_ready(worker);
    subject.reason = decision_reason_to_string(worker->start_reason);
    report_event("worker ready", service->options->debug, DEBUG_PROCESS, &subject,
                 "worker %d is ready: %s", (int)worker->pid, subject.reason);
}

/* What stands in a ring could not be put into order with what comes by message. */
static void take_news(struct worker *worker, const struct message *message)
{
    if (worker->ring.memory)
        worker_lied(worker, "has a ring, and does not use it");
    else if (message->type == MESSAGE_DRAINING)
        worker_says_it_drains(worker);
    else if (!worker_take_ids(worker, message))
        worker_lied(worker, "has told of a connection that it does not have");
}

static void take_message(struct worker *worker, const struct message *message)
{
    switch (message->type) {
    case MESSAGE_HELLO:
        take_hello(worker, message);
        break;
    case MESSAGE_READY:
        take_ready(worker, message->value);
        break;
    case MESSAGE_ACKNOWLEDGE:
    case MESSAGE_REFUSE:
    case MESSAGE_ENDED:
    case MESSAGE_DRAINING:
        if (!worker_is_being_adopted(worker))
            take_news(worker, message);
        break;
    case MESSAGE_NEWS:
        /* service->dispatch reads all rings. */
        if (worker->ring.memory)
            ring_heard(&worker->ring);
        else
            worker_lied(worker, "has told of a ring that it does not have");
        break;
    case MESSAGE_HELD:
        take_held(worker, message);
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

static void report_message(const struct worker *worker, const struct message *message)
{
    struct subject subject = worker_subject(worker, NULL);

    report_debug(worker->service->options->debug, DEBUG_CHANNEL_PACKETS, &subject,
                 "worker %d says %s %u", (int)worker->pid, message_type_to_string(message->type),
                 message->value);
}

/* Acts on a packet, message by message, for as long as the worker is to be believed. Returns false
 * where nothing is likely to come behind it: after NEWS, which comes alone. */
static bool take_packet(struct worker *worker, const uint8_t *bytes, size_t length)
{
    struct message message = {0};

    for (size_t at = 0; at < length && !worker->lost_reason; at += message.length) {
        if (message_read(bytes + at, length - at, &message) < 0) {
            worker_lied(worker, "has sent what is no message");
            return false;
        }
        if (worker->service->options->debug & DEBUG_CHANNEL_PACKETS)
            report_message(worker, &message);
        take_message(worker, &message);
    }
    return !worker->lost_reason && message.type != MESSAGE_NEWS;
}

/* No fault of the worker: it finishes its sessions when the channel ends. */
static void tell_unreadable(const struct worker *worker, int error)
{
    const struct subject subject = worker_subject(worker, MESSAGE_ID_WORKER_HUNG);

    report(LOG_ERR, &subject,
           "cannot read the channel of worker %d: %s; closing it, and the worker ends when its "
           "sessions are over",
           (int)worker->pid, strerror(-error));
}

/* Reads one packet and acts on it. Returns 0 where nothing more is to be read for now (what is
 * there all the same wakes us again), -EPIPE at the end of the channel, 1 otherwise. */
static int read_packet(struct worker *worker)
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
        tell_unreadable(worker, (int)length);
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
    return take_packet(worker, bytes, (size_t)length) ? 1 : 0;
}

static void became_writable(struct worker *worker)
{
    pool_worker_blocked(worker->service->pool, worker->slot, false);
    (void)sd_event_source_set_io_events(worker->channel_source, EPOLLIN);
    if (worker->is_drain_unsent)
        worker_send_drain(worker);
    worker_log_send_again(worker);
    stress_send_again(worker);
}

static int on_channel(_unused_ sd_event_source *source, _unused_ int fd, uint32_t events,
                      void *userdata)
{
    struct worker *worker = userdata;
    struct service *service = worker->service;
    int r = 1;

    if (events & EPOLLOUT)
        became_writable(worker);
    if (worker->channel >= 0 && events & (EPOLLIN | EPOLLHUP | EPOLLERR))
        for (int i = 0; i < MESSAGES_AT_ONCE && r > 0; i++)
            r = read_packet(worker);
    if (r == -EPIPE) {
        (void)worker_ring_read(worker);
        worker_channel_ended(worker);
    }
    service_touch(service);
    return 0;
}

int worker_channel_watch(struct worker *worker)
{
    return sd_event_add_io(worker->service->context->event, &worker->channel_source,
                           worker->channel, EPOLLIN, on_channel, worker);
}

void workers_set_debug(struct service *service)
{
    uint8_t bytes[sizeof(struct message_header)];
    size_t length =
        message_write_value(bytes, sizeof(bytes), MESSAGE_DEBUG, service->options->debug);

    /* Where a channel is full the worker goes on with the old mask: it is busy with other things.
     */
    for (unsigned slot = 0; slot < service->pool->n_slots; slot++)
        if (service->workers[slot] && service->workers[slot]->channel >= 0 &&
            worker_in_pool(service->workers[slot])->state != POOL_WORKER_STARTING) {
            worker_tell_packet(service->workers[slot], MESSAGE_DEBUG, service->options->debug);
            (void)channel_send(service->workers[slot]->channel, bytes, length, NULL, 0);
        }
}
