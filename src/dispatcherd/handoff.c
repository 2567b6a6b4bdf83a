#include "dispatcherd/handoff.h"

#include "base/time.h"
#include "dispatcherd/context.h"
#include "dispatcherd/message_ids.h"
#include "dispatcherd/report.h"
#include "dispatcherd/worker_end.h"
#include "dispatcherd/worker_ring.h"
#include "protocol/channel.h"
#include "protocol/debug.h"
#include "protocol/message.h"

#include <errno.h>
#include <stdalign.h>
#include <string.h>

/* A worker acknowledges in microseconds; one that has not in this time does not read its
 * channel. */
#define ACKNOWLEDGE_LIMIT_SEC 5

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

static size_t write_message(const struct connection *connection, void *bytes, size_t size)
{
    const struct connection_record record = {
        .id = connection->id,
        .accepted_at_usec = connection->accepted_at,
        .peer = connection->peer,
        .local = connection->local,
        .flags = connection->is_tls ? CONNECTION_FLAG_TLS : 0,
    };

    return message_write_connection(bytes, size, MESSAGE_CONNECTION, &record,
                                    connection->tag ? connection->tag : "",
                                    connection->note ? connection->note : "");
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

void handoff_send(struct service *service, struct worker *worker, uint64_t now)
{
    alignas(8) uint8_t bytes[sizeof(struct message_header) + sizeof(struct connection_record) +
                             2 * CONNECTION_TEXT_MAX + sizeof(uint64_t)];
    struct connection *connection = TAILQ_FIRST(&service->waiting);
    size_t length = write_message(connection, bytes, sizeof(bytes));

    report_handoff(connection, worker);
    int r = channel_send(worker->channel, bytes, length, &connection->fd, 1);
    if (r == 0) {
        worker_tell_packet(worker, MESSAGE_CONNECTION, 1);
        connection_hand_off(connection, worker, now);
        watch_acknowledgement(worker, now);
    } else if (r == -EAGAIN) {
        /* worker_channel.c lifts this as soon as the channel can be written again. */
        pool_worker_blocked(service->pool, worker->slot, true);
        (void)sd_event_source_set_io_events(worker->channel_source, EPOLLIN | EPOLLOUT);
    } else if (r == -ETOOMANYREFS) {
        worker_rest(worker, RETRY_USEC);
    } else if (r == -EPIPE) {
        worker_channel_ended(worker);
    } else {
        struct subject subject = worker_subject(worker, MESSAGE_ID_WORKER_HUNG);

        report(LOG_ERR, &subject, "cannot hand a connection to worker %d: %s", (int)worker->pid,
               strerror(-r));
        worker_channel_ended(worker);
    }
}
