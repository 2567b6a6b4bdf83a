/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "pool/facts.h"

#include "base/time.h"

#include <limits.h>

#define EXPIRY_DISTANCE_USEC USEC_PER_SEC

unsigned fact_places_of(const struct pool_worker *worker)
{
    unsigned load = worker->n_handoffs + worker->n_active;

    if (worker->state != POOL_WORKER_READY || worker->is_blocked || load >= worker->max_conns)
        return 0;
    return worker->max_conns - load;
}

unsigned fact_places_of_all(const struct pool *pool)
{
    unsigned n_places = 0;

    for (unsigned i = 0; i < pool->n_slots; i++)
        n_places += fact_places_of(&pool->workers[i]);
    return n_places;
}

unsigned fact_places_put_off(const struct pool *pool)
{
    unsigned n_places = 0;

    for (unsigned i = 0; i < pool->n_slots; i++) {
        const struct pool_worker *worker = &pool->workers[i];
        unsigned load = worker->n_handoffs + worker->n_active;

        if (worker->state == POOL_WORKER_READY && worker->is_blocked && worker->is_putting_off &&
            load < worker->max_conns)
            n_places += worker->max_conns - load;
    }
    return n_places;
}

bool fact_is_put_off(const struct pool *pool)
{
    for (unsigned i = 0; i < pool->n_slots; i++)
        if (pool->workers[i].state == POOL_WORKER_READY && pool->workers[i].is_putting_off)
            return true;
    return false;
}

unsigned fact_places_left(const struct pool *pool, const struct pool_options *options)
{
    unsigned n_places = options->max_procs * options->max_conns;
    unsigned n_taken = pool->n_handoffs + pool->n_active + pool->n_passed_on;

    if (pool->n_passed_on == 0)
        return UINT_MAX;
    return n_places < n_taken ? 0 : n_places - n_taken;
}

bool fact_any_puts_off(const struct pool *pool)
{
    for (unsigned i = 0; i < pool->n_slots; i++)
        if (pool->workers[i].state == POOL_WORKER_READY && pool->workers[i].is_putting_off)
            return true;
    return false;
}

bool fact_another_would_help(const struct pool *pool, const struct pool_options *options)
{
    return fact_places_left(pool, options) > 0 && !fact_any_puts_off(pool);
}

bool fact_is_ready(const struct pool_worker *worker)
{
    return worker->state == POOL_WORKER_READY;
}

bool fact_is_used(const struct pool_worker *worker, const struct pool_options *options)
{
    return options->max_life_conns != 0 &&
           worker->n_total + worker->n_handoffs >= options->max_life_conns;
}

bool fact_is_old(const struct pool_worker *worker, const struct pool_options *options, uint64_t now)
{
    return options->max_life_usec != 0 && now - worker->started_at >= options->max_life_usec;
}

bool fact_is_due(const struct pool_worker *worker, const struct pool_options *options, uint64_t now)
{
    return fact_is_ready(worker) && (worker->is_outdated || fact_is_used(worker, options) ||
                                     fact_is_old(worker, options, now));
}

bool fact_is_past_idle(const struct pool_worker *worker, const struct pool_options *options,
                       uint64_t now)
{
    return fact_is_ready(worker) && pool_worker_load(worker) == 0 && options->max_idle_usec != 0 &&
           now - worker->idle_since >= options->max_idle_usec;
}

unsigned fact_slack_of(const struct pool_worker *worker, const struct pool_options *options)
{
    unsigned enough =
        options->min_conns < worker->max_conns ? options->min_conns : worker->max_conns;

    if (!fact_is_ready(worker) || pool_worker_load(worker) >= enough)
        return 0;
    return enough - pool_worker_load(worker);
}

unsigned fact_slack_of_all(const struct pool *pool, const struct pool_options *options)
{
    unsigned slack = 0;

    for (unsigned i = 0; i < pool->n_slots; i++)
        slack += fact_slack_of(&pool->workers[i], options);
    return slack;
}

unsigned fact_spare_of(const struct pool_worker *worker, const struct pool_options *options,
                       uint64_t now)
{
    return worker->is_blocked || fact_is_due(worker, options, now) ? 0
                                                                   : fact_slack_of(worker, options);
}

unsigned fact_spare_beside(const struct pool *pool, const struct pool_options *options,
                           uint64_t now, unsigned slot)
{
    unsigned spare = 0;

    for (unsigned i = 0; i < pool->n_slots; i++)
        spare += i == slot ? 0 : fact_spare_of(&pool->workers[i], options, now);
    return spare;
}

unsigned fact_ready_needed_without(const struct pool_worker *worker,
                                   const struct pool_options *options)
{
    return options->min_procs == 0 && pool_worker_load(worker) > 0 ? 1 : options->min_procs;
}

bool fact_can_start(const struct pool *pool, const struct pool_options *options, uint64_t now)
{
    return pool_total(pool) < options->max_procs && now >= pool->next_start_at;
}

bool fact_expiry_has_distance(const struct observations *observed, uint64_t now)
{
    return observed->last_expiry_at == 0 || now - observed->last_expiry_at >= EXPIRY_DISTANCE_USEC;
}

bool fact_somebody_needs_a_successor(const struct pool *pool, const struct pool_options *options,
                                     uint64_t now)
{
    for (unsigned i = 0; i < pool->n_slots; i++)
        if (fact_is_due(&pool->workers[i], options, now) &&
            pool->n_ready < fact_ready_needed_without(&pool->workers[i], options) + 1)
            return pool->n_draining < options->max_shutdown;
    return false;
}
