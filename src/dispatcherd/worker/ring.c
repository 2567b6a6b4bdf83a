/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/worker/ring.h"

#include "base/time.h"
#include "dispatcherd/report/report.h"
#include "dispatcherd/worker/news.h"
#include "protocol/debug.h"

int worker_ring_open(struct worker *worker, int *ret_fd)
{
    return ring_reader_open(&worker->ring, worker->n_places, ret_fd);
}

static void ring_debug_entry(const struct worker *worker, const struct ring_entry *entry)
{
    const struct subject subject = worker_subject(worker, NULL);

    report_debug(worker->service->options->debug, DEBUG_CHANNEL_PACKETS, &subject,
                 "worker %d says %s in its ring", (int)worker->pid,
                 message_type_to_string(entry->type));
}

static bool ring_is_of_connection(const struct ring_entry *entry)
{
    return entry->type == MESSAGE_ACKNOWLEDGE || entry->type == MESSAGE_REFUSE ||
           entry->type == MESSAGE_ENDED;
}

/* Returns the rule that it breaks, or NULL. */
static const char *ring_take_entry(struct worker *worker, const struct ring_entry *entry,
                                   uint64_t now)
{
    if (ring_is_of_connection(entry))
        return worker_take_id(worker, entry->type, entry->id, now)
                   ? NULL
                   : "has told of a connection that it does not have";
    if (entry->type != MESSAGE_DRAINING)
        return "has written to its ring what is no entry";
    /* Once: so each entry changes something, and no worker keeps us here for ever. */
    return worker->has_drained ? "has said twice that it drains" : NULL;
}

static enum worker_ring_news ring_take_entries(struct worker *worker, int n, const char **ret_rule)
{
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);
    bool drains = false;

    while (n-- > 0 && !drains) {
        const struct ring_entry entry = ring_take(&worker->ring);

        if (worker->service->options->debug & DEBUG_CHANNEL_PACKETS)
            ring_debug_entry(worker, &entry);
        const char *rule = ring_take_entry(worker, &entry, now);
        if (rule) {
            *ret_rule = rule;
            return WORKER_RING_BROKEN;
        }
        drains = entry.type == MESSAGE_DRAINING;
    }
    ring_confirm(&worker->ring);
    return drains ? WORKER_RING_DRAINS : WORKER_RING_READ;
}

/* Until nothing is left after the worker was told what we have read: it relies on that. */
enum worker_ring_news worker_ring_read(struct worker *worker, bool *ret_has_read,
                                       const char **ret_rule)
{
    enum worker_ring_news news = WORKER_RING_READ;
    int n;

    if (!worker->ring.memory || worker->state == WORKER_ADOPTED)
        return WORKER_RING_READ;
    while (news == WORKER_RING_READ && (n = ring_pending(&worker->ring)) != 0) {
        *ret_has_read = true;
        if (n < 0) {
            *ret_rule = "has written more to its ring than there is room for";
            return WORKER_RING_BROKEN;
        }
        news = ring_take_entries(worker, n, ret_rule);
    }
    return news;
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

        if (ring_is_of_connection(&entry))
            (void)worker_take_id(worker, entry.type, entry.id, now);
    }
    ring_reader_free(&worker->ring);
}
