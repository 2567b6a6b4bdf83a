#include "dispatcherd/worker/handoff.h"

#include "base/time.h"
#include "dispatcherd/core/context.h"
#include "dispatcherd/report/message_ids.h"
#include "dispatcherd/report/report.h"
#include "dispatcherd/worker/end.h"
#include "dispatcherd/worker/ring.h"
#include "protocol/channel.h"
#include "protocol/debug.h"
#include "protocol/message.h"

#include <errno.h>
#include <stdalign.h>
#include <string.h>

/* A worker acknowledges in microseconds; one that has not in this time does not read its
 * channel. */
#define ACKNOWLEDGE_LIMIT_SEC 5

/* Room for one connection with the longest of texts, or for a full number without any. */
#define PACKET_BYTES_MAX 4096

/* How long to leave the kernel in peace that has no room for one more descriptor under way. */
#define RETRY_USEC (50 * USEC_PER_MSEC)

static uint64_t oldest_handoff(const struct worker *worker)
{
    uint64_t oldest = USEC_INFINITY;

    for (unsigned i = 0; i < worker->n_held; i++)
        if (worker->held[i]->state == CONNECTION_HANDOFF && worker->held[i]->handed_at < oldest)
            oldest = worker->held[i]->handed_at;
    return oldest;
}

/* One look for as long as hand-offs are under way, instead of a timer for each of them. */
static int on_limit(sd_event_source *source, _unused_ uint64_t usec, void *userdata)
{
    struct worker *worker = userdata;

    if (worker_ring_read(worker))
        service_touch(worker->service);
    uint64_t oldest = oldest_handoff(worker);
    if (oldest == USEC_INFINITY)
        return 0;
    uint64_t limit_at = oldest + ACKNOWLEDGE_LIMIT_SEC * USEC_PER_SEC;
    if (time_now_usec(CLOCK_MONOTONIC) >= limit_at) {
        worker_give_up(worker, "has not acknowledged a connection for 5 s", MESSAGE_ID_WORKER_HUNG);
        return 0;
    }
    (void)sd_event_source_set_time(source, limit_at);
    (void)sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
    return 0;
}

static void watch_acknowledgement(struct worker *worker, uint64_t now)
{
    uint64_t at = now + ACKNOWLEDGE_LIMIT_SEC * USEC_PER_SEC;
    int enabled = SD_EVENT_OFF;

    if (!worker->limit_source) {
        (void)sd_event_add_time(worker->service->context->event, &worker->limit_source,
                                CLOCK_MONOTONIC, at, USEC_PER_SEC / 2, on_limit, worker);
        return;
    }
    (void)sd_event_source_get_enabled(worker->limit_source, &enabled);
    if (enabled != SD_EVENT_OFF)
        return;
    (void)sd_event_source_set_time(worker->limit_source, at);
    (void)sd_event_source_set_enabled(worker->limit_source, SD_EVENT_ONESHOT);
}

static void report_handoff(const struct connection *connection, const struct worker *worker)
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

    report_handoff(connection, worker);
    connection_hand_off(connection, worker, now);
    worker->n_unsent++;
    if (service->n_unsent++ == 0)
        service->unsent_since = now;
}

/* The first so many are no longer unsent. */
static void forget_unsent(struct worker *worker, unsigned n)
{
    worker->n_unsent -= n;
    worker->service->n_unsent -= n;
}

/* From the last to the first, so that they wait in their order. */
static void take_back(struct worker *worker, uint64_t now)
{
    unsigned n = worker->n_unsent;

    forget_unsent(worker, n);
    while (n-- > 0)
        connection_take_back(worker->held[worker->n_held - 1], now);
}

static void failed(struct worker *worker, int error, uint64_t now)
{
    struct service *service = worker->service;
    struct subject subject = worker_subject(worker, MESSAGE_ID_WORKER_HUNG);

    take_back(worker, now);
    switch (error) {
    case -EAGAIN:
        /* worker/channel.c lifts this as soon as the channel can be written again. */
        pool_worker_blocked(service->pool, worker->slot, true);
        if (sd_event_source_set_io_events(worker->channel_source, EPOLLIN | EPOLLOUT) < 0)
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

struct packet {
    alignas(8) uint8_t bytes[PACKET_BYTES_MAX];
    size_t length;
    int fds[MESSAGE_FDS_MAX];
    unsigned n;
};

/* Returns false where it has no room for one more. */
static bool add_to_packet(struct packet *packet, const struct connection *connection)
{
    const struct connection_record record = {
        .id = connection->id,
        .accepted_at_usec = connection->accepted_at,
        .peer = connection->peer,
        .local = connection->local,
        .flags = connection->is_tls ? CONNECTION_FLAG_TLS : 0,
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

/* As many of its unsent ones as one packet holds, the first ones first. */
static int send_packet(struct worker *worker, uint64_t now)
{
    struct packet packet; /* its bytes are written as far as they are sent */
    struct connection **unsent = worker->held + worker->n_held - worker->n_unsent;

    packet.n = 0;
    packet.length = message_write_value(packet.bytes, sizeof(packet.bytes), MESSAGE_CONNECTION, 0);
    while (packet.n < worker->n_unsent && add_to_packet(&packet, unsent[packet.n]))
        ;
    int r = channel_send(worker->channel, packet.bytes, packet.length, packet.fds, packet.n);
    if (r < 0)
        return r;
    forget_unsent(worker, packet.n);
    worker_tell_packet(worker, MESSAGE_CONNECTION, packet.n);
    watch_acknowledgement(worker, now);
    return 0;
}

/* Returns false where some have come back. */
static bool send_unsent(struct worker *worker, uint64_t now)
{
    while (worker->n_unsent > 0) {
        int r = send_packet(worker, now);
        if (r < 0) {
            failed(worker, r, now);
            return false;
        }
    }
    return true;
}

bool handoffs_send(struct service *service, uint64_t now)
{
    bool is_all_sent = true;

    for (unsigned slot = 0; slot < POOL_WORKERS_MAX && service->n_unsent > 0; slot++) {
        struct worker *worker = service->workers[slot];

        if (worker && worker->n_unsent > 0)
            is_all_sent &= send_unsent(worker, now);
    }
    return is_all_sent;
}
