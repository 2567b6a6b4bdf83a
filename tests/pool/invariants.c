/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "pool/invariants.h"

#include "pool/facts.h"

#include <stddef.h>

static const char *check_counters(const struct pool *pool)
{
    unsigned n_workers[POOL_WORKER_DRAINING + 1] = {0};
    unsigned n_handoffs = 0, n_active = 0;

    for (unsigned i = 0; i < pool->n_slots; i++) {
        const struct pool_worker *worker = &pool->workers[i];

        n_workers[worker->state]++;
        n_handoffs += worker->n_handoffs;
        n_active += worker->n_active;
        if (worker->n_handoffs + worker->n_active > worker->max_conns)
            return "no worker has more than MAX_CONNS";
    }
    if (n_workers[POOL_WORKER_STARTING] != pool->n_starting ||
        n_workers[POOL_WORKER_READY] != pool->n_ready ||
        n_workers[POOL_WORKER_DRAINING] != pool->n_draining || n_handoffs != pool->n_handoffs ||
        n_active != pool->n_active)
        return "the pool's counters are the sums over its workers";
    return NULL;
}

/* The limit, or what an earlier and higher one left; then value may only go down to the limit. */
static bool exceeds(unsigned *highest, unsigned limit, unsigned value)
{
    bool is_exceeded = value > (*highest > limit ? *highest : limit);

    *highest = value;
    return is_exceeded;
}

const char *invariants_of_pool(const struct pool *pool, const struct pool_options *options,
                               struct observations *observed)
{
    unsigned n_by_choice = 0;

    for (unsigned i = 0; i < POOL_WORKERS_MAX && i < pool->n_slots; i++)
        n_by_choice +=
            pool->workers[i].state == POOL_WORKER_DRAINING && observed->is_draining_by_choice[i];
    if (exceeds(&observed->max_total, options->max_procs, pool_total(pool)))
        return "there are at most MAX_PROCS workers";
    if (exceeds(&observed->max_handoffs, options->max_handoffs, pool->n_handoffs))
        return "at most MAX_HANDOFFS are under way";
    if (exceeds(&observed->max_draining_by_choice, options->max_shutdown, n_by_choice))
        return "at most MAX_SHUTDOWN drain by choice";
    return check_counters(pool);
}

static const char *check_handoff(const struct pool *pool, const struct pool_options *options,
                                 uint64_t now, const struct decision *decision)
{
    const struct pool_worker *chosen = &pool->workers[decision->slot];
    bool chosen_is_due = fact_is_due(chosen, options, now);

    if (pool->n_waiting == 0)
        return "a hand-off needs a waiting connection";
    if (pool->n_handoffs >= options->max_handoffs)
        return "a hand-off keeps MAX_HANDOFFS";
    if (fact_places_left(pool, options) == 0)
        return "a hand-off keeps MAX_PROCS times MAX_CONNS with what was passed on";
    if (fact_places_of(chosen) == 0)
        return "a hand-off goes to a ready worker with a free place";
    if (decision->reason != (chosen_is_due ? REASON_LAST_RESORT : REASON_LEAST_BUSY))
        return "a hand-off says why";
    for (unsigned i = 0; i < pool->n_slots; i++) {
        const struct pool_worker *other = &pool->workers[i];
        bool other_is_due = fact_is_due(other, options, now);

        if (other == chosen || fact_places_of(other) == 0)
            continue;
        if (chosen_is_due && !other_is_due)
            return "one that is due is the last resort";
        if (chosen_is_due != other_is_due)
            continue;
        if (pool_worker_load(other) < pool_worker_load(chosen))
            return "the least busy worker is chosen";
        if (pool_worker_load(other) > pool_worker_load(chosen))
            continue;
        if (other->n_total + other->n_handoffs < chosen->n_total + chosen->n_handoffs)
            return "fewer in its life decides between equally busy ones";
        if (other->n_total + other->n_handoffs == chosen->n_total + chosen->n_handoffs &&
            other->start_number < chosen->start_number)
            return "the oldest is chosen among equals";
    }
    return NULL;
}

static const char *check_start(const struct pool *pool, const struct pool_options *options,
                               const struct observations *observed, uint64_t now,
                               const struct decision *decision)
{
    bool is_proactive = !pool->is_stopping && pool->n_starting == 0 && pool->n_ready > 0;

    if (pool->workers[decision->slot].state != POOL_WORKER_NONE)
        return "a start needs a free slot";
    if (pool_total(pool) >= options->max_procs)
        return "a start keeps MAX_PROCS";
    if (now < pool->next_start_at)
        return "a start waits for the delay of the failed one";
    if (observed->has_idle_retirement && observed->idle_retirement_at == now &&
        decision->reason == REASON_ALL_BUSY)
        return "nobody is started in the place of one just retired as idle";
    switch (decision->reason) {
    case REASON_MINIMUM:
        return !pool->is_stopping && pool_available(pool) < options->min_procs
                   ? NULL
                   : "MINIMUM: fewer than MIN_PROCS are available";
    case REASON_DEMAND:
        return pool->n_waiting > 0 && pool->n_starting == 0 && fact_places_of_all(pool) == 0 &&
                       (pool->n_ready == 0 || fact_another_would_help(pool, options))
                   ? NULL
                   : "DEMAND: a connection waits and nobody has or will have a place";
    case REASON_ALL_BUSY:
        return is_proactive && fact_slack_of_all(pool, options) == 0 &&
                       fact_another_would_help(pool, options)
                   ? NULL
                   : "ALL_BUSY: every worker is busy enough, and none is starting";
    case REASON_SUCCESSOR:
        return is_proactive &&
                       (pool->wants_start || fact_somebody_needs_a_successor(pool, options, now))
                   ? NULL
                   : "SUCCESSOR: one is due, may go, and would leave too few; or one is wanted";
    default:
        return "a start has a reason for starts";
    }
}

static const char *check_expiry(const struct pool *pool, const struct pool_options *options,
                                uint64_t now, const struct pool_worker *worker)
{
    if (!fact_is_due(worker, options, now))
        return "AGE, USE, OUTDATED: the worker is due";
    if (pool->n_ready >= fact_ready_needed_without(worker, options) + 1)
        return NULL;
    if (pool_worker_load(worker) > 0)
        return "AGE, USE, OUTDATED: the successor of one with sessions is ready first";
    if (pool_total(pool) < options->max_procs)
        return "AGE, USE, OUTDATED: the successor is ready first where there is room for it";
    return NULL;
}

static const char *check_idle_retirement(const struct pool *pool,
                                         const struct pool_options *options, uint64_t now,
                                         unsigned slot)
{
    const struct pool_worker *worker = &pool->workers[slot];

    if (!fact_is_past_idle(worker, options, now))
        return "IDLE: no connection for MAX_IDLE_TIME";
    if (pool_available(pool) < options->min_procs + 1)
        return "IDLE: MIN_PROCS stay";
    if (pool->n_ready > 1 && fact_spare_beside(pool, options, now, slot) == 0)
        return "IDLE: those that stay are not all busy enough";
    if (pool->n_ready == 1 && (pool->n_starting > 0 || pool->n_waiting > 0))
        return "IDLE: the last one goes only where nothing is going on";
    return NULL;
}

static const char *check_stopping_order(const struct pool *pool, const struct pool_worker *chosen)
{
    for (unsigned i = 0; i < pool->n_slots; i++) {
        const struct pool_worker *other = &pool->workers[i];

        if (!fact_is_ready(other) || (pool_worker_load(other) > 0) < (pool_worker_load(chosen) > 0))
            continue;
        if ((pool_worker_load(other) > 0) > (pool_worker_load(chosen) > 0))
            return "while stopping, those with sessions drain first";
        if (fact_is_ready(chosen) && other->start_number < chosen->start_number)
            return "while stopping, the oldest drains first";
    }
    return NULL;
}

/* Where the reason is one that all of them share, idle ones go first, then the oldest. */
static const char *check_order(const struct pool *pool, const struct pool_options *options,
                               const struct observations *observed, uint64_t now,
                               const struct decision *decision)
{
    const struct pool_worker *chosen = &pool->workers[decision->slot];
    bool needs_due = decision->reason == REASON_AGE || decision->reason == REASON_USE ||
                     decision->reason == REASON_OUTDATED;
    /* Age and use keep a distance, which an outdated worker need not wait for. */
    bool needs_outdated =
        decision->reason == REASON_OUTDATED && !fact_expiry_has_distance(observed, now);
    bool chosen_is_idle = pool_worker_load(chosen) == 0;

    if (decision->reason == REASON_IDLE)
        return NULL;
    if (decision->reason == REASON_STOPPING)
        return check_stopping_order(pool, chosen);
    for (unsigned i = 0; i < pool->n_slots; i++) {
        const struct pool_worker *other = &pool->workers[i];
        bool other_is_idle = pool_worker_load(other) == 0;

        if (!fact_is_ready(other) || (needs_due && !fact_is_due(other, options, now)) ||
            (needs_outdated && !other->is_outdated))
            continue;
        if (other_is_idle && !chosen_is_idle)
            return "idle workers are retired first";
        if (other_is_idle == chosen_is_idle && other->start_number < chosen->start_number)
            return "the oldest is retired first";
    }
    return NULL;
}

static const char *check_retirement(const struct pool *pool, const struct pool_options *options,
                                    const struct observations *observed, uint64_t now,
                                    const struct decision *decision)
{
    const struct pool_worker *worker = &pool->workers[decision->slot];

    bool is_unneeded_start = pool->is_stopping && worker->state == POOL_WORKER_STARTING;
    if (!fact_is_ready(worker) && !is_unneeded_start)
        return "only a ready worker is retired, or when stopping one that is starting";
    if (decision->reason == REASON_STOPPING)
        return pool->is_stopping && pool->n_waiting + pool->n_checking == 0
                   ? NULL
                   : "STOPPING: after the last connection was handed off";
    if (pool->is_stopping)
        return "while stopping, that is the reason";
    if (pool->n_draining >= options->max_shutdown)
        return "a retirement keeps MAX_SHUTDOWN";
    switch (decision->reason) {
    case REASON_SURPLUS:
        return pool->n_ready > options->max_procs ? NULL : "SURPLUS: MAX_PROCS stay";
    case REASON_USE:
    case REASON_AGE:
        if (worker->is_outdated ||
            (decision->reason == REASON_USE) != fact_is_used(worker, options))
            return "OUTDATED, USE and AGE are told apart";
        if (!fact_expiry_has_distance(observed, now))
            return "AGE, USE: one a second";
        return check_expiry(pool, options, now, worker);
    case REASON_OUTDATED:
        if (!worker->is_outdated)
            return "OUTDATED: only what was outdated";
        return check_expiry(pool, options, now, worker);
    case REASON_IDLE:
        return check_idle_retirement(pool, options, now, decision->slot);
    default:
        return "a retirement has a reason for retirements";
    }
}

const char *invariants_of_decision(const struct pool *pool, const struct pool_options *options,
                                   const struct observations *observed, uint64_t now,
                                   const struct decision *decision)
{
    const char *violation;

    switch (decision->kind) {
    case DECISION_HAND_OFF:
        return check_handoff(pool, options, now, decision);
    case DECISION_START:
        return check_start(pool, options, observed, now, decision);
    case DECISION_RETIRE:
        violation = check_retirement(pool, options, observed, now, decision);
        return violation ? violation : check_order(pool, options, observed, now, decision);
    case DECISION_WAIT:
        return invariants_of_waiting(pool, options, observed, now, decision);
    }
    return "a decision is one of four";
}
