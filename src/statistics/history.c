/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "statistics/history.h"

#include "base/time.h"

#include <string.h>

const char *history_end_to_string(uint32_t end)
{
    static const char *const texts[N_HISTORY_ENDS] = {
        [HISTORY_ENDED] = "ended",         [HISTORY_BROKEN] = "broken",
        [HISTORY_GONE] = "gone",           [HISTORY_REJECTED] = "rejected",
        [HISTORY_UNSERVED] = "unserved",   [HISTORY_FAILED] = "failed",
        [HISTORY_SENT_AWAY] = "sent-away",
    };

    return end < N_HISTORY_ENDS ? texts[end] : "unknown";
}

static bool is_due(uint64_t ended_at, uint64_t limit_usec, uint64_t now)
{
    return time_add_usec(ended_at, limit_usec) > now;
}

struct history_connection *history_add_connection(struct history *history, uint64_t limit_usec,
                                                  uint64_t now)
{
    size_t place = history->n_connections % HISTORY_CONNECTIONS_MAX;
    struct history_connection *connection = &history->connections[place];

    if (history->n_connections >= HISTORY_CONNECTIONS_MAX &&
        is_due(connection->ended_at, limit_usec, now))
        history->n_dropped_connections++;
    history->n_connections++;
    *connection = (struct history_connection){.ended_at = now};
    return connection;
}

struct history_worker *history_add_worker(struct history *history, uint64_t limit_usec,
                                          uint64_t now)
{
    size_t place = history->n_workers % HISTORY_WORKERS_MAX;
    struct history_worker *worker = &history->workers[place];

    if (history->n_workers >= HISTORY_WORKERS_MAX && is_due(worker->ended_at, limit_usec, now))
        history->n_dropped_workers++;
    history->n_workers++;
    *worker = (struct history_worker){.ended_at = now, .exit_status = -1};
    return worker;
}

/* The place of the i-th newest of `n_added`, in a ring of `size`; `size` if there is none. */
static size_t place_of(uint64_t n_added, size_t i, size_t size)
{
    if (i >= n_added || i >= size)
        return size;
    return (n_added - 1 - i) % size;
}

const struct history_connection *history_connection(const struct history *history, size_t i,
                                                    uint64_t limit_usec, uint64_t now)
{
    size_t place = place_of(history->n_connections, i, HISTORY_CONNECTIONS_MAX);

    if (place == HISTORY_CONNECTIONS_MAX ||
        !is_due(history->connections[place].ended_at, limit_usec, now))
        return NULL;
    return &history->connections[place];
}

const struct history_worker *history_worker(const struct history *history, size_t i,
                                            uint64_t limit_usec, uint64_t now)
{
    size_t place = place_of(history->n_workers, i, HISTORY_WORKERS_MAX);

    if (place == HISTORY_WORKERS_MAX || !is_due(history->workers[place].ended_at, limit_usec, now))
        return NULL;
    return &history->workers[place];
}

static size_t used(uint64_t n_added, size_t size)
{
    return n_added < size ? (size_t)n_added : size;
}

void history_copy(struct history *to, const struct history *from)
{
    memcpy(to, from, offsetof(struct history, connections));
    memcpy(to->connections, from->connections,
           used(from->n_connections, HISTORY_CONNECTIONS_MAX) * sizeof(to->connections[0]));
    memcpy(to->workers, from->workers,
           used(from->n_workers, HISTORY_WORKERS_MAX) * sizeof(to->workers[0]));
}

void history_clear(struct history *history)
{
    memset(history->connections, 0,
           used(history->n_connections, HISTORY_CONNECTIONS_MAX) * sizeof(history->connections[0]));
    memset(history->workers, 0,
           used(history->n_workers, HISTORY_WORKERS_MAX) * sizeof(history->workers[0]));
    memset(history, 0, offsetof(struct history, connections));
}
