#include "dispatcherd/worker/ring.h"

#include "base/time.h"
#include "dispatcherd/report/report.h"
#include "dispatcherd/worker/end.h"
#include "dispatcherd/worker/news.h"
#include "protocol/debug.h"

int worker_ring_open(struct worker *worker, int *ret_fd)
{
    return ring_reader_open(&worker->ring, worker->n_places, ret_fd);
}

static void tell_entry(const struct worker *worker, const struct ring_entry *entry)
{
    const struct subject subject = worker_subject(worker, NULL);

    report_debug(worker->service->options->debug, DEBUG_CHANNEL_PACKETS, &subject,
                 "worker %d says %s in its ring", (int)worker->pid,
                 message_type_to_string(entry->type));
}

static bool is_of_connection(const struct ring_entry *entry)
{
    return entry->type == MESSAGE_ACKNOWLEDGE || entry->type == MESSAGE_REFUSE ||
           entry->type == MESSAGE_ENDED;
}

/* Returns what is wrong with it, or NULL. */
static const char *take_entry(struct worker *worker, const struct ring_entry *entry, uint64_t now)
{
    if (is_of_connection(entry))
        return worker_take_id(worker, entry->type, entry->id, now)
                   ? NULL
                   : "has told of a connection that it does not have";
    if (entry->type != MESSAGE_DRAINING)
        return "has written to its ring what is no entry";
    /* Once: so each entry changes something, and no worker keeps us here for ever. */
    if (worker->has_said_it_drains)
        return "has said twice that it drains";
    worker->has_said_it_drains = true;
    worker_says_it_drains(worker);
    return NULL;
}

static const char *take_entries(struct worker *worker, int n)
{
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);

    while (n-- > 0) {
        const struct ring_entry entry = ring_take(&worker->ring);

        if (worker->service->options->debug & DEBUG_CHANNEL_PACKETS)
            tell_entry(worker, &entry);
        const char *lie = take_entry(worker, &entry, now);
        if (lie)
            return lie;
    }
    ring_confirm(&worker->ring);
    return NULL;
}

/* Until nothing is left after the worker was told what we have read: it relies on that. */
bool worker_ring_read(struct worker *worker)
{
    bool has_read = false;
    int n;

    if (!worker->ring.memory || worker_is_being_adopted(worker))
        return false;
    while ((n = ring_pending(&worker->ring)) != 0) {
        const char *lie =
            n > 0 ? take_entries(worker, n) : "has written more to its ring than there is room for";

        has_read = true;
        if (lie) {
            worker_lied(worker, lie);
            break;
        }
    }
    return has_read;
}

/* Lies are skipped: an acknowledgement counts from the moment it was written, whatever stands
 * before it, since the worker serves that connection. */
void worker_ring_close(struct worker *worker)
{
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);

    if (!worker->ring.memory)
        return;
    for (int n = ring_close(&worker->ring); n > 0; n--) {
        const struct ring_entry entry = ring_take(&worker->ring);

        if (is_of_connection(&entry))
            (void)worker_take_id(worker, entry.type, entry.id, now);
    }
    ring_reader_free(&worker->ring);
}

bool workers_read_rings(struct service *service)
{
    bool has_read = false;

    for (unsigned slot = 0; slot < service->pool->n_slots; slot++)
        if (service->workers[slot])
            has_read |= worker_ring_read(service->workers[slot]);
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
