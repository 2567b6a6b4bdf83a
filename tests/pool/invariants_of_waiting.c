/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "pool/invariants.h"

#include "base/time.h"
#include "pool/facts.h"

#include <stddef.h>

static const char *check_starts(const struct pool *pool, const struct pool_options *options,
                                uint64_t now)
{
    if (!fact_can_start(pool, options, now))
        return NULL;
    if (pool->n_starting == 0 && pool->n_waiting > 0 && fact_places_of_all(pool) == 0 &&
        (pool->n_ready == 0 || (!pool->is_stopping && fact_another_would_help(pool, options))))
        return "a waiting connection without a place starts a worker";
    if (pool->is_stopping)
        return NULL;
    if (pool_available(pool) < options->min_procs)
        return "MIN_PROCS are available whenever they can be";
    if (pool->n_starting > 0)
        return NULL;
    if (pool->n_ready > 0 && fact_slack_of_all(pool, options) == 0 &&
        fact_another_would_help(pool, options))
        return "one more is started when all are busy enough";
    if (fact_somebody_needs_a_successor(pool, options, now))
        return "the successor of one that is due is started";
    return NULL;
}

static const char *check_due(const struct pool *pool, const struct pool_options *options,
                             const struct observations *observed, uint64_t now)
{
    bool has_distance = fact_expiry_has_distance(observed, now);

    for (unsigned i = 0; i < pool->n_slots; i++) {
        const struct pool_worker *worker = &pool->workers[i];
        unsigned n_needed = fact_ready_needed_without(worker, options);

        if (!fact_is_due(worker, options, now) || (!has_distance && !worker->is_outdated))
            continue;
        if (pool->n_ready >= n_needed + 1)
            return "one that is due goes when enough others are ready";
        if (pool_worker_load(worker) == 0 && pool_total(pool) >= options->max_procs)
            return "one that is due goes when it is idle and there is no room";
    }
    return NULL;
}

/* The idle worker is not needed for sure: without it, the others still take two connections
 * before all are busy enough, or one has been able to take one for MAX_IDLE_TIME. Workers that are
 * due or blocked do not count, they may not be there for long. */
static bool is_superfluous(const struct pool *pool, const struct pool_options *options,
                           uint64_t now, unsigned idle_slot)
{
    bool has_lasted = false;

    if (pool->n_ready == 1)
        return pool->n_waiting == 0 && pool->n_starting == 0;
    for (unsigned i = 0; i < pool->n_slots; i++)
        has_lasted |= i != idle_slot && fact_spare_of(&pool->workers[i], options, now) > 0 &&
                      now - pool->workers[i].load_fell_at >= options->max_idle_usec;
    return has_lasted || fact_spare_beside(pool, options, now, idle_slot) >= 2;
}

static const char *check_idle(const struct pool *pool, const struct pool_options *options,
                              uint64_t now)
{
    if (pool_available(pool) <= options->min_procs)
        return NULL;
    for (unsigned i = 0; i < pool->n_slots; i++)
        if (fact_is_past_idle(&pool->workers[i], options, now) &&
            is_superfluous(pool, options, now, i))
            return "no superfluous worker stays idle past MAX_IDLE_TIME";
    return NULL;
}

static const char *check_retirements(const struct pool *pool, const struct pool_options *options,
                                     const struct observations *observed, uint64_t now)
{
    const char *violation;

    if (pool->is_stopping) {
        /* Nothing waits, nor may wait again. */
        bool has_to_serve = pool->n_waiting > 0 || pool->n_checking > 0 ||
                            (pool->n_handoffs > 0 && fact_any_puts_off(pool));

        return pool->n_ready > 0 && !has_to_serve ? "stopping drains every worker" : NULL;
    }
    if (pool->n_draining >= options->max_shutdown)
        return NULL;
    if (pool->n_ready > options->max_procs)
        return "surplus workers drain";
    violation = check_due(pool, options, observed, now);
    return violation ? violation : check_idle(pool, options, now);
}

static const char *check_reason(const struct pool *pool, const struct pool_options *options,
                                const struct decision *decision)
{
    switch (decision->reason) {
    case REASON_NOTHING_DUE:
        return pool->n_waiting == 0 ? NULL : "NOTHING_DUE: no connection waits";
    case REASON_HANDOFFS_FULL:
        return pool->n_waiting > 0 && pool->n_handoffs >= options->max_handoffs
                   ? NULL
                   : "HANDOFFS_FULL: MAX_HANDOFFS are under way";
    case REASON_PUT_OFF:
        return pool->n_waiting > 0 && fact_places_of_all(pool) == 0 && fact_places_put_off(pool) > 0
                   ? NULL
                   : "PUT_OFF: those that have a place put off";
    case REASON_NO_PLACE:
    case REASON_START_DELAYED:
        return pool->n_waiting > 0 &&
                       (fact_places_of_all(pool) == 0 || fact_places_left(pool, options) == 0)
                   ? NULL
                   : "NO_PLACE, START_DELAYED: nobody has a place";
    default:
        return "waiting has a reason for waiting";
    }
}

const char *invariants_of_waiting(const struct pool *pool, const struct pool_options *options,
                                  const struct observations *observed, uint64_t now,
                                  const struct decision *decision)
{
    const char *violation;

    if (decision->until <= now)
        return "`until` is in the future";
    if (pool->n_waiting > 0 && pool->n_handoffs < options->max_handoffs &&
        fact_places_of_all(pool) > 0 && fact_places_left(pool, options) > 0)
        return "no connection waits while there is a free place and a free hand-off";
    violation = check_reason(pool, options, decision);
    if (!violation)
        violation = check_starts(pool, options, now);
    return violation ? violation : check_retirements(pool, options, observed, now);
}

const char *invariants_of_acceptance(const struct pool *pool, const struct pool_options *options,
                                     uint64_t now, enum accept_verdict verdict)
{
    unsigned n_places = fact_places_of_all(pool) + fact_places_put_off(pool);
    unsigned n_left = fact_places_left(pool, options);

    if (fact_is_put_off(pool) && n_places > POLICY_PUT_OFF_MAX)
        n_places = POLICY_PUT_OFF_MAX;
    if (pool->n_passed_on > 0)
        n_places +=
            pool->n_starting + pool->n_ready == 0 && fact_can_start(pool, options, now) ? 1 : 0;
    else if (pool->n_starting > 0 || fact_can_start(pool, options, now))
        n_places += pool->n_failed_starts > 0 ? 1 : options->max_conns;
    switch (verdict) {
    case ACCEPT_STOPPING:
        return pool->is_stopping ? NULL : "STOPPING: the service stops";
    case ACCEPT_CHECKS_FULL:
        return pool->n_checking >= POLICY_CHECKING_MAX ? NULL : "CHECKS_FULL: they are";
    case ACCEPT_HANDOFFS_FULL:
        return pool->n_handoffs >= options->max_handoffs ? NULL : "HANDOFFS_FULL: they are";
    case ACCEPT_NO_PLACE:
        return n_places <= pool->n_waiting || n_left <= pool->n_waiting
                   ? NULL
                   : "NO_PLACE: every place is spoken for";
    case ACCEPT_YES:
        break;
    }
    if (pool->is_stopping || pool->n_checking >= POLICY_CHECKING_MAX ||
        pool->n_handoffs >= options->max_handoffs)
        return "nothing is accepted while stopping, and past MAX_HANDOFFS or the most checks";
    return n_places > pool->n_waiting && n_left > pool->n_waiting
               ? NULL
               : "nothing is accepted that no place could take";
}
