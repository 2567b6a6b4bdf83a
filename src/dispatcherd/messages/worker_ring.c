/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/messages/worker_ring.h"

#include "base/time.h"
#include "dispatcherd/messages/news.h"
#include "dispatcherd/report/report.h"
#include "protocol/debug.h"

int worker_ring_open(struct worker *worker, int *ret_fd)
{
    return ring_reader_open(&worker->ring, worker->n_places, ret_fd);
}

static void ring_debug_entry(const struct worker *worker, const struct ring_entry *entry)
{
    const struct subject subject = worker_subject(worker, NULL);

    report_debug(worker->service->options->debug, DEBUG_CHANNEL_PACKETS, &subject,
                 "worker %d sends %s in its ring", (int)worker->pid,
                 message_type_to_string(entry->type));
}

/* Returns the rule that it breaks, or NULL. */
static const char *ring_take_entry(struct worker *worker, const struct ring_entry *entry,
                                   uint64_t now)
{
    if (message_type_has_ids(entry->type))
        return news_take_id(worker, entry->type, entry->id, now)
                   ? NULL
                   : "has reported a connection that it does not have";
    if (entry->type != MESSAGE_DRAINING)
        return "has written an invalid entry to its ring";
    /* Allowed once: so each entry changes something, and a worker cannot keep us busy for ever. */
    return worker->has_drained ? "has written DRAINING twice" : NULL;
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

/* Reads until nothing is left, and once more after the worker was told what was read: the worker
 * relies on that. */
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

/* Invalid entries are skipped: an acknowledgement counts from the moment when it was written,
 * whatever comes before it, since the worker serves that connection. */
bool worker_ring_close(struct worker *worker)
{
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);
    bool drains = false;

    if (!worker->ring.memory)
        return false;
    for (int n = ring_close(&worker->ring); n > 0; n--) {
        const struct ring_entry entry = ring_take(&worker->ring);

        if (message_type_has_ids(entry.type))
            (void)news_take_id(worker, entry.type, entry.id, now);
        drains |= entry.type == MESSAGE_DRAINING;
    }
    ring_watch_end(worker);
    ring_reader_free(&worker->ring);
    return drains;
}
