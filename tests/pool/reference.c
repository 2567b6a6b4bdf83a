/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "pool/reference.h"

#include "base/time.h"

#include <limits.h>
#include <stddef.h>

/* Workers born together must not all go together: one expiry a second (dispatcherd(8)). */
#define EXPIRY_DISTANCE_USEC USEC_PER_SEC

static unsigned places_of(const struct pool_worker *worker)
{
    if (worker->state != POOL_WORKER_READY || worker->is_blocked)
        return 0;
    unsigned load = pool_worker_load(worker);
    return load < worker->max_conns ? worker->max_conns - load : 0;
}

static unsigned long places_of_all(const struct pool *pool)
{
    unsigned long places = 0;

    for (unsigned i = 0; i < pool->n_slots; i++)
        places += places_of(&pool->workers[i]);
    return places;
}

static unsigned long places_left(const struct pool *pool, const struct pool_options *options)
{
    unsigned long places = (unsigned long)options->max_procs * options->max_conns;

    if (pool->n_passed_on == 0)
        return ULONG_MAX;
    return places > pool_load(pool) ? places - pool_load(pool) : 0;
}

static unsigned long places_put_off(const struct pool *pool)
{
    unsigned long places = 0;

    for (unsigned i = 0; i < pool->n_slots; i++) {
        struct pool_worker worker = pool->workers[i];

        if (!worker.is_putting_off || !worker.is_blocked)
            continue;
        worker.is_blocked = false;
        places += places_of(&worker);
    }
    return places;
}

static bool places_are_put_off(const struct pool *pool)
{
    for (unsigned i = 0; i < pool->n_slots; i++)
        if (pool->workers[i].state == POOL_WORKER_READY && pool->workers[i].is_putting_off)
            return true;
    return false;
}

static uint64_t expires_at(const struct pool_worker *worker, const struct pool_options *options)
{
    return options->max_life_usec == 0 ? USEC_INFINITY
                                       : time_add_usec(worker->started_at, options->max_life_usec);
}

static bool is_used_up(const struct pool_worker *worker, const struct pool_options *options)
{
    return options->max_life_conns > 0 &&
           worker->n_total + worker->n_handoffs >= options->max_life_conns;
}

/* Past MAX_LIFE_TIME or MAX_LIFE_CONNS, or outdated: serves on until there is a shutdown slot for
 * it. */
static bool is_due(const struct pool_worker *worker, const struct pool_options *options,
                   uint64_t now)
{
    return worker->state == POOL_WORKER_READY &&
           (worker->is_outdated || now >= expires_at(worker, options) ||
            is_used_up(worker, options));
}

static enum decision_reason reason_due(const struct pool_worker *worker,
                                       const struct pool_options *options)
{
    if (worker->is_outdated)
        return REASON_OUTDATED;
    return is_used_up(worker, options) ? REASON_USE : REASON_AGE;
}

static bool is_idle(const struct pool_worker *worker)
{
    return worker->state == POOL_WORKER_READY && pool_worker_load(worker) == 0;
}

static uint64_t idle_until(const struct pool_worker *worker, const struct pool_options *options)
{
    return time_add_usec(worker->idle_since, options->max_idle_usec);
}

static bool is_past_idle(const struct pool_worker *worker, const struct pool_options *options,
                         uint64_t now)
{
    return is_idle(worker) && options->max_idle_usec > 0 && now >= idle_until(worker, options);
}

/* True if a is the better one for the next connection (dispatcherd(8)). */
static bool is_better(const struct pool_worker *a, bool a_is_due, const struct pool_worker *b,
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

static bool decide_handoff(const struct pool *pool, const struct pool_options *options,
                           uint64_t now, struct decision *ret)
{
    const struct pool_worker *best = NULL;
    bool best_is_due = false;

    if (pool->n_waiting == 0 || pool->n_handoffs >= options->max_handoffs ||
        places_left(pool, options) == 0)
        return false;
    for (unsigned i = 0; i < pool->n_slots; i++) {
        const struct pool_worker *worker = &pool->workers[i];

        if (places_of(worker) == 0)
            continue;
        bool worker_is_due = is_due(worker, options, now);
        if (best && !is_better(worker, worker_is_due, best, best_is_due))
            continue;
        best = worker;
        best_is_due = worker_is_due;
    }
    if (!best)
        return false;
    *ret = (struct decision){.kind = DECISION_HAND_OFF,
                             .reason = best_is_due ? REASON_LAST_RESORT : REASON_LEAST_BUSY,
                             .slot = (unsigned)(best - pool->workers)};
    return true;
}

/* One that could not make MAX_CONNS threads, or was started under a lower MAX_CONNS, may be full
 * below MIN_CONNS. */
static bool is_busy_enough(const struct pool_worker *worker, const struct pool_options *options)
{
    unsigned load = pool_worker_load(worker);

    return load >= options->min_conns || load >= worker->max_conns;
}

static bool all_are_busy_enough(const struct pool *pool, const struct pool_options *options)
{
    for (unsigned i = 0; i < pool->n_slots; i++)
        if (pool->workers[i].state == POOL_WORKER_READY &&
            !is_busy_enough(&pool->workers[i], options))
            return false;
    return true;
}

/* How many must stay when this one goes: one that has sessions is needed even if MIN_PROCS
 * is 0, or the next client would wait for a start. */
static unsigned needed_without(const struct pool_worker *worker, const struct pool_options *options)
{
    return options->min_procs > 0 || is_idle(worker) ? options->min_procs : 1;
}

static bool needs_successor(const struct pool *pool, const struct pool_options *options,
                            uint64_t now)
{
    if (pool->n_draining >= options->max_shutdown)
        return false;
    for (unsigned i = 0; i < pool->n_slots; i++) {
        const struct pool_worker *worker = &pool->workers[i];

        if (is_due(worker, options, now) && pool->n_ready - 1 < needed_without(worker, options))
            return true;
    }
    return false;
}

static enum decision_reason reason_to_start(const struct pool *pool,
                                            const struct pool_options *options, uint64_t now)
{
    if (!pool->is_stopping && pool_available(pool) < options->min_procs)
        return pool->n_starting < POLICY_STARTING_MAX ? REASON_MINIMUM : REASON_NONE;
    if (pool->n_starting > 0)
        return REASON_NONE;
    if (pool->n_ready == 0)
        return pool->n_waiting > 0 ? REASON_DEMAND : REASON_NONE;
    if (pool->is_stopping)
        return REASON_NONE;
    if (pool->wants_start)
        return REASON_SUCCESSOR;
    if (places_are_put_off(pool) || places_left(pool, options) == 0)
        return needs_successor(pool, options, now) ? REASON_SUCCESSOR : REASON_NONE;
    if (all_are_busy_enough(pool, options))
        return REASON_ALL_BUSY;
    if (pool->n_waiting > 0 && places_of_all(pool) == 0)
        return REASON_DEMAND;
    return needs_successor(pool, options, now) ? REASON_SUCCESSOR : REASON_NONE;
}

static bool may_start(const struct pool *pool, const struct pool_options *options, uint64_t now)
{
    return pool_total(pool) < options->max_procs && now >= pool->next_start_at;
}

static bool decide_start(const struct pool *pool, const struct pool_options *options, uint64_t now,
                         struct decision *ret)
{
    if (!may_start(pool, options, now))
        return false;
    enum decision_reason reason = reason_to_start(pool, options, now);
    if (reason == REASON_NONE)
        return false;
    unsigned slot = 0;
    while (pool->workers[slot].state != POOL_WORKER_NONE)
        slot++;
    *ret = (struct decision){.kind = DECISION_START, .reason = reason, .slot = slot};
    return true;
}

/* How many connections it takes before it is busy enough. One that is due or blocked takes none
 * that could be counted on. */
static unsigned spare_conns(const struct pool_worker *worker, const struct pool_options *options,
                            uint64_t now)
{
    if (worker->state != POOL_WORKER_READY || worker->is_blocked || is_due(worker, options, now) ||
        is_busy_enough(worker, options))
        return 0;
    unsigned enough =
        options->min_conns < worker->max_conns ? options->min_conns : worker->max_conns;
    return enough - pool_worker_load(worker);
}

static uint64_t spare_enough_at(const struct pool_worker *worker,
                                const struct pool_options *options)
{
    return time_add_usec(worker->load_fell_at, options->max_idle_usec);
}

/* An idle worker above the minimum goes only if those that stay are not all busy enough:
 * otherwise a new one would be started at once in its place. If they are but one connection
 * short of that, this must have been so for MAX_IDLE_TIME: a session that ends and the next client
 * that takes its place are a steady load. */
static bool may_go_idle(const struct pool *pool, const struct pool_options *options,
                        unsigned idle_slot, uint64_t now)
{
    unsigned n_spare = 0;
    bool has_lasted = false;

    if (pool_available(pool) <= options->min_procs)
        return false;
    if (pool->n_ready == 1)
        return pool->n_waiting == 0 && pool->n_starting == 0;
    for (unsigned i = 0; i < pool->n_slots; i++) {
        unsigned n = i == idle_slot ? 0 : spare_conns(&pool->workers[i], options, now);

        n_spare += n;
        has_lasted |= n > 0 && now >= spare_enough_at(&pool->workers[i], options);
    }
    return n_spare > 1 || has_lasted;
}

static unsigned n_leaving(const struct pool *pool)
{
    unsigned n = 0;

    for (unsigned i = 0; i < pool->n_slots; i++)
        n += pool->workers[i].state == POOL_WORKER_DRAINING &&
             pool_worker_load(&pool->workers[i]) == 0;
    return n;
}

static enum decision_reason reason_to_retire(const struct pool *pool,
                                             const struct pool_options *options, unsigned slot,
                                             uint64_t now)
{
    const struct pool_worker *worker = &pool->workers[slot];

    if (pool->is_stopping &&
        (worker->state == POOL_WORKER_READY || worker->state == POOL_WORKER_STARTING)) {
        bool may_leave = pool_worker_load(worker) > 0 || n_leaving(pool) < POLICY_LEAVING_MAX;

        bool may_wait_again = pool->n_handoffs > 0 && places_are_put_off(pool);

        return pool->n_waiting == 0 && pool->n_checking == 0 && !may_wait_again && may_leave
                   ? REASON_STOPPING
                   : REASON_NONE;
    }
    if (worker->state != POOL_WORKER_READY)
        return REASON_NONE;
    if (pool->n_draining >= options->max_shutdown)
        return REASON_NONE;
    if (pool->n_ready > options->max_procs)
        return REASON_SURPLUS;
    if (is_due(worker, options, now)) {
        bool has_distance = worker->is_outdated || pool->last_expiry_at == 0 ||
                            now >= time_add_usec(pool->last_expiry_at, EXPIRY_DISTANCE_USEC);
        bool has_room = pool_total(pool) < options->max_procs;
        bool leaves_enough = pool->n_ready - 1 >= needed_without(worker, options);

        if (has_distance && (leaves_enough || (is_idle(worker) && !has_room)))
            return reason_due(worker, options);
    }
    if (is_past_idle(worker, options, now) && may_go_idle(pool, options, slot, now))
        return REASON_IDLE;
    return REASON_NONE;
}

/* Idle ones first, since they free their place at once; then the oldest (dispatcherd(8)). */
static bool goes_before(const struct pool *pool, const struct pool_worker *a,
                        const struct pool_worker *b)
{
    bool a_is_busy = pool_worker_load(a) > 0, b_is_busy = pool_worker_load(b) > 0;

    if (pool->is_stopping && a_is_busy != b_is_busy)
        return a_is_busy;
    if (is_idle(a) != is_idle(b))
        return is_idle(a);
    return a->start_number < b->start_number;
}

static bool decide_retirement(const struct pool *pool, const struct pool_options *options,
                              uint64_t now, struct decision *ret)
{
    const struct pool_worker *first = NULL;
    enum decision_reason first_reason = REASON_NONE;

    for (unsigned i = 0; i < pool->n_slots; i++) {
        enum decision_reason reason = reason_to_retire(pool, options, i, now);

        if (reason == REASON_NONE || (first && !goes_before(pool, &pool->workers[i], first)))
            continue;
        first = &pool->workers[i];
        first_reason = reason;
    }
    if (!first)
        return false;
    *ret = (struct decision){
        .kind = DECISION_RETIRE, .reason = first_reason, .slot = (unsigned)(first - pool->workers)};
    return true;
}

static void consider(uint64_t moment, uint64_t now, uint64_t *next)
{
    if (moment > now && moment < *next)
        *next = moment;
}

/* The first moment after now that could change a decision by itself. A moment that has passed
 * without one waits for something else to change. */
static uint64_t next_moment(const struct pool *pool, const struct pool_options *options,
                            uint64_t now)
{
    uint64_t next = USEC_INFINITY;
    bool has_past_idle = false;

    consider(pool->next_start_at, now, &next);
    if (pool->last_expiry_at > 0)
        consider(time_add_usec(pool->last_expiry_at, EXPIRY_DISTANCE_USEC), now, &next);
    for (unsigned i = 0; i < pool->n_slots; i++) {
        const struct pool_worker *worker = &pool->workers[i];

        if (worker->state != POOL_WORKER_READY)
            continue;
        consider(expires_at(worker, options), now, &next);
        if (is_idle(worker) && options->max_idle_usec > 0)
            consider(idle_until(worker, options), now, &next);
        has_past_idle |= is_past_idle(worker, options, now);
    }
    for (unsigned i = 0; has_past_idle && i < pool->n_slots; i++)
        if (spare_conns(&pool->workers[i], options, now) > 0)
            consider(spare_enough_at(&pool->workers[i], options), now, &next);
    return next;
}

static enum decision_reason reason_to_wait(const struct pool *pool,
                                           const struct pool_options *options, uint64_t now)
{
    if (pool->n_waiting == 0)
        return REASON_NOTHING_DUE;
    if (pool->n_handoffs >= options->max_handoffs)
        return REASON_HANDOFFS_FULL;
    if (places_put_off(pool) > 0 && places_left(pool, options) > 0)
        return REASON_PUT_OFF;
    return now < pool->next_start_at ? REASON_START_DELAYED : REASON_NO_PLACE;
}

struct decision reference_decide(const struct pool *pool, const struct pool_options *options,
                                 uint64_t now)
{
    struct decision decision;

    if (decide_handoff(pool, options, now, &decision) ||
        decide_start(pool, options, now, &decision) ||
        decide_retirement(pool, options, now, &decision))
        return decision;
    return (struct decision){.kind = DECISION_WAIT,
                             .reason = reason_to_wait(pool, options, now),
                             .until = next_moment(pool, options, now)};
}

/* In a worker that is starting, or could be. While starts fail, one connection is enough to try the
 * next start with. If connections are passed on, a worker has a free place nearly always: whoever
 * comes while none is ready waits in the kernel's queue, but for the one that has a worker started.
 */
static unsigned long places_to_come(const struct pool *pool, const struct pool_options *options,
                                    uint64_t now)
{
    bool can_start = may_start(pool, options, now);

    if (pool->n_passed_on > 0)
        return can_start && pool_available(pool) == 0 ? 1 : 0;
    if (pool->n_starting == 0 && !can_start)
        return 0;
    return pool->n_failed_starts > 0 ? 1 : options->max_conns;
}

enum accept_verdict reference_may_accept(const struct pool *pool,
                                         const struct pool_options *options, uint64_t now)
{
    if (pool->is_stopping)
        return ACCEPT_STOPPING;
    if (pool->n_checking >= POLICY_CHECKING_MAX)
        return ACCEPT_CHECKS_FULL;
    if (pool->n_handoffs >= options->max_handoffs)
        return ACCEPT_HANDOFFS_FULL;
    unsigned long places = places_of_all(pool) + places_put_off(pool);
    if (places > POLICY_PUT_OFF_MAX && places_are_put_off(pool))
        places = POLICY_PUT_OFF_MAX;
    places += places_to_come(pool, options, now);
    return places > pool->n_waiting && places_left(pool, options) > pool->n_waiting
               ? ACCEPT_YES
               : ACCEPT_NO_PLACE;
}

const char *reference_compare(struct pool *pool, const struct pool_options *options, uint64_t now)
{
    struct decision ours = policy_decide(pool, options, now);
    struct decision theirs = reference_decide(pool, options, now);

    if (ours.kind != theirs.kind || ours.reason != theirs.reason)
        return "the reference decides the same";
    if (ours.slot != theirs.slot)
        return "the reference chooses the same worker";
    if (ours.until != theirs.until)
        return "the reference waits as long";
    if (policy_may_accept(pool, options, now) != reference_may_accept(pool, options, now))
        return "the reference accepts the same";
    return NULL;
}
