/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/recorder/memory_watch.h"

#include "base/time.h"

/* After the last look, if much has changed, and if a little has. */
#define SOON_USEC  (2 * USEC_PER_SEC)
#define LATER_USEC (60 * USEC_PER_SEC)

/* A change of sessions that is much: a quarter of them, and not fewer than this, so that the ring
 * has several connections for each of these records. */
#define MANY_SESSIONS 8

static unsigned workers_of(const struct pool *pool)
{
    return pool->n_ready + pool->n_draining;
}

static unsigned difference_of(unsigned a, unsigned b)
{
    return a > b ? a - b : b - a;
}

static bool is_a_quarter(unsigned difference, unsigned of)
{
    return difference > 0 && (uint64_t)4 * difference >= of;
}

uint64_t memory_watch_due(const struct memory_watch *watch, const struct pool *pool, uint64_t now)
{
    unsigned workers = difference_of(watch->n_workers, workers_of(pool));
    unsigned sessions = difference_of(watch->n_sessions, pool_load(pool));

    if (watch->at == 0)
        return workers_of(pool) > 0 ? now : USEC_INFINITY;
    if (is_a_quarter(workers, watch->n_workers) ||
        (sessions >= MANY_SESSIONS && is_a_quarter(sessions, watch->n_sessions)))
        return watch->at + SOON_USEC;
    return workers > 0 || sessions > 0 ? watch->at + LATER_USEC : USEC_INFINITY;
}

void memory_watch_looked(struct memory_watch *watch, const struct pool *pool, uint64_t now)
{
    *watch = (struct memory_watch){now, workers_of(pool), pool_load(pool)};
}
