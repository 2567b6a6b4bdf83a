/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "pool/standing.h"

#include "base/time.h"

static unsigned places_below_limit(const struct pool_worker *worker)
{
    unsigned load = pool_worker_load(worker);

    if (worker->state != POOL_WORKER_READY || load >= worker->max_conns)
        return 0;
    return worker->max_conns - load;
}

unsigned standing_places(const struct pool_worker *worker)
{
    return worker->is_blocked ? 0 : places_below_limit(worker);
}

unsigned standing_places_put_off(const struct pool_worker *worker)
{
    return worker->is_blocked && worker->is_putting_off ? places_below_limit(worker) : 0;
}

uint64_t standing_expires_at(const struct pool_worker *worker, const struct pool_options *options)
{
    return options->max_life_usec == 0 ? USEC_INFINITY
                                       : time_add_usec(worker->started_at, options->max_life_usec);
}

bool standing_is_used_up(const struct pool_worker *worker, const struct pool_options *options)
{
    return options->max_life_conns > 0 &&
           worker->n_total + worker->n_handoffs >= options->max_life_conns;
}

bool standing_is_due(const struct pool_worker *worker, const struct pool_options *options,
                     uint64_t now)
{
    return worker->state == POOL_WORKER_READY &&
           (worker->is_outdated || now >= standing_expires_at(worker, options) ||
            standing_is_used_up(worker, options));
}

bool standing_is_idle(const struct pool_worker *worker)
{
    return worker->state == POOL_WORKER_READY && pool_worker_load(worker) == 0;
}

bool standing_is_leaving(const struct pool_worker *worker)
{
    return worker->state == POOL_WORKER_DRAINING && pool_worker_load(worker) == 0;
}

uint64_t standing_idle_until(const struct pool_worker *worker, const struct pool_options *options)
{
    return time_add_usec(worker->idle_since, options->max_idle_usec);
}

bool standing_is_past_idle(const struct pool_worker *worker, const struct pool_options *options,
                           uint64_t now)
{
    return standing_is_idle(worker) && options->max_idle_usec > 0 &&
           now >= standing_idle_until(worker, options);
}

/* One that could not make MAX_CONNS threads, or was started under a lower MAX_CONNS, may be full
 * below MIN_CONNS. */
bool standing_is_busy_enough(const struct pool_worker *worker, const struct pool_options *options)
{
    unsigned load = pool_worker_load(worker);

    return load >= options->min_conns || load >= worker->max_conns;
}

unsigned standing_spare(const struct pool_worker *worker, const struct pool_options *options,
                        uint64_t now)
{
    if (worker->state != POOL_WORKER_READY || worker->is_blocked ||
        standing_is_due(worker, options, now) || standing_is_busy_enough(worker, options))
        return 0;
    unsigned enough =
        options->min_conns < worker->max_conns ? options->min_conns : worker->max_conns;
    return enough - pool_worker_load(worker);
}

uint64_t standing_lasts_at(const struct pool_worker *worker, const struct pool_options *options)
{
    return time_add_usec(worker->load_fell_at, options->max_idle_usec);
}

bool standing_is_better(const struct pool_worker *a, bool a_is_due, const struct pool_worker *b,
                        bool b_is_due)
{
    if (a_is_due != b_is_due)
        return b_is_due;
    if (pool_worker_load(a) != pool_worker_load(b))
        return pool_worker_load(a) < pool_worker_load(b);
    if (a->n_total + a->n_handoffs != b->n_total + b->n_handoffs)
        return a->n_total + a->n_handoffs < b->n_total + b->n_handoffs;
    return a->start_number < b->start_number;
}

bool standing_goes_before(const struct pool_worker *a, const struct pool_worker *b)
{
    if (standing_is_idle(a) != standing_is_idle(b))
        return standing_is_idle(a);
    return a->start_number < b->start_number;
}
