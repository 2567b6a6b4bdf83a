/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "pool/policy.h"

#include "base/time.h"
#include "pool/standing.h"

#include <limits.h>

/* Workers born together must not all go together: one expiry a second (dispatcherd(8)). */
#define EXPIRY_DISTANCE_USEC USEC_PER_SEC

const char *decision_reason_to_string(enum decision_reason reason)
{
    static const char *const texts[] = {
        [REASON_NONE] = "none",
        [REASON_LEAST_BUSY] = "least busy",
        [REASON_LAST_RESORT] = "the only free place",
        [REASON_MINIMUM] = "fewer than MIN_PROCS",
        [REASON_DEMAND] = "a connection waits",
        [REASON_ALL_BUSY] = "every worker has MIN_CONNS connections",
        [REASON_ADOPTED] = "adopted",
        [REASON_SUCCESSOR] = "successor of a worker that is due",
        [REASON_IDLE] = "MAX_IDLE_TIME",
        [REASON_AGE] = "MAX_LIFE_TIME",
        [REASON_USE] = "MAX_LIFE_CONNS",
        [REASON_OUTDATED] = "outdated",
        [REASON_SURPLUS] = "more than MAX_PROCS",
        [REASON_STOPPING] = "stopping",
        [REASON_NOTHING_DUE] = "nothing is due",
        [REASON_NO_PLACE] = "every place is taken",
        [REASON_PUT_OFF] = "the server behind the workers takes no connection",
        [REASON_HANDOFFS_FULL] = "MAX_HANDOFFS are under way",
        [REASON_START_DELAYED] = "the last start failed",
    };

    return texts[reason];
}

const char *accept_verdict_to_string(enum accept_verdict verdict)
{
    static const char *const texts[] = {
        [ACCEPT_YES] = "accepting",
        [ACCEPT_NO_PLACE] = "every place is taken",
        [ACCEPT_HANDOFFS_FULL] = "MAX_HANDOFFS are under way",
        [ACCEPT_CHECKS_FULL] = "too many connections are being checked",
        [ACCEPT_STOPPING] = "stopping",
    };

    return texts[verdict];
}

/* What sessions that were passed on leave of MAX_PROCS times MAX_CONNS. Without any it is
 * unlimited: each worker's own limit is enough. */
static unsigned long places_left(const struct pool *pool, const struct pool_options *options)
{
    unsigned long places = (unsigned long)options->max_procs * options->max_conns;

    if (pool->n_passed_on == 0)
        return ULONG_MAX;
    return places > pool_load(pool) ? places - pool_load(pool) : 0;
}

static bool decide_handoff(const struct pool *pool, const struct pool_options *options,
                           const struct ranking_node *all, uint64_t now, struct decision *ret)
{
    if (pool->n_waiting == 0 || pool->n_handoffs >= options->max_handoffs ||
        places_left(pool, options) == 0 || all->best == RANKING_NOBODY)
        return false;
    bool is_due = standing_is_due(&pool->workers[all->best], options, now);
    *ret = (struct decision){.kind = DECISION_HAND_OFF,
                             .reason = is_due ? REASON_LAST_RESORT : REASON_LEAST_BUSY,
                             .slot = all->best};
    return true;
}

/* How many must stay when this one goes: one that has sessions is needed even if MIN_PROCS
 * is 0, or the next client would wait for a start. */
static unsigned needed_without(const struct pool_worker *worker, const struct pool_options *options)
{
    return options->min_procs > 0 || standing_is_idle(worker) ? options->min_procs : 1;
}

static bool leaves_enough(const struct pool *pool, const struct pool_options *options,
                          unsigned slot)
{
    return pool->n_ready - 1 >= needed_without(&pool->workers[slot], options);
}

/* If any of those that are due needs one, the first does: what they need is the same, but for a
 * single ready worker. */
static bool needs_successor(const struct pool *pool, const struct pool_options *options,
                            const struct ranking_node *all)
{
    unsigned slot = all->first[RANKING_DUE];

    return pool->n_draining < options->max_shutdown && slot != RANKING_NOBODY &&
           !leaves_enough(pool, options, slot);
}

static enum decision_reason reason_to_start(const struct pool *pool,
                                            const struct pool_options *options,
                                            const struct ranking_node *all)
{
    if (pool->n_starting >= POLICY_STARTING_MAX)
        return REASON_NONE;
    if (!pool->is_stopping && pool_available(pool) < options->min_procs)
        return REASON_MINIMUM;
    if (pool->n_starting > 0)
        return REASON_NONE;
    if (pool->n_ready == 0)
        return pool->n_waiting > 0 ? REASON_DEMAND : REASON_NONE;
    if (pool->is_stopping)
        return REASON_NONE;
    if (pool->wants_start)
        return REASON_SUCCESSOR;
    if (all->n_putting_off == 0 && places_left(pool, options) > 0) {
        if (all->n_not_busy == 0)
            return REASON_ALL_BUSY;
        if (pool->n_waiting > 0 && all->n_places == 0)
            return REASON_DEMAND;
    }
    return needs_successor(pool, options, all) ? REASON_SUCCESSOR : REASON_NONE;
}

static bool may_start(const struct pool *pool, const struct pool_options *options, uint64_t now)
{
    return pool_total(pool) < options->max_procs && now >= pool->next_start_at;
}

static bool decide_start(const struct pool *pool, const struct pool_options *options,
                         const struct ranking_node *all, uint64_t now, struct decision *ret)
{
    if (!may_start(pool, options, now))
        return false;
    enum decision_reason reason = reason_to_start(pool, options, all);
    if (reason == REASON_NONE)
        return false;
    unsigned slot = 0;
    while (pool->workers[slot].state != POOL_WORKER_NONE)
        slot++;
    *ret = (struct decision){.kind = DECISION_START, .reason = reason, .slot = slot};
    return true;
}

/* Who of two is to be retired first; either may be nobody. */
static unsigned first_of(const struct pool *pool, unsigned a, unsigned b)
{
    if (a == RANKING_NOBODY || b == RANKING_NOBODY)
        return a == RANKING_NOBODY ? b : a;
    return standing_goes_before(&pool->workers[a], &pool->workers[b]) ? a : b;
}

/* Something that was accepted is to be served before workers go. What is on offer to a worker that
 * has put off others will most likely wait again; without workers it would have the next one
 * started, and so on. */
static bool has_to_serve(const struct pool *pool, const struct ranking_node *all)
{
    return pool->n_waiting > 0 || pool->n_checking > 0 ||
           (pool->n_handoffs > 0 && all->n_putting_off > 0);
}

/* Those that have sessions first, since these have a time limit from then on. */
static unsigned find_stopping(const struct pool *pool, const struct ranking_node *all)
{
    unsigned first = all->first[RANKING_READY];

    if (has_to_serve(pool, all))
        return RANKING_NOBODY;
    if (all->first[RANKING_BUSY] != RANKING_NOBODY)
        return all->first[RANKING_BUSY];
    if (all->n_leaving >= POLICY_LEAVING_MAX)
        return RANKING_NOBODY;
    for (unsigned i = 0; pool->n_starting > 0 && i < pool->n_slots; i++)
        if (pool->workers[i].state == POOL_WORKER_STARTING)
            first = first_of(pool, first, i);
    return first;
}

/* The first one says it for all: an idle one may go whenever a busy one may, and comes first. */
static unsigned find_due(const struct pool *pool, const struct pool_options *options,
                         const struct ranking_node *all, uint64_t now)
{
    bool has_distance = pool->last_expiry_at == 0 ||
                        now >= time_add_usec(pool->last_expiry_at, EXPIRY_DISTANCE_USEC);
    bool has_room = pool_total(pool) < options->max_procs;
    unsigned slot = all->first[has_distance ? RANKING_DUE : RANKING_OUTDATED];

    if (slot == RANKING_NOBODY || leaves_enough(pool, options, slot) ||
        (standing_is_idle(&pool->workers[slot]) && !has_room))
        return slot;
    return RANKING_NOBODY;
}

static enum decision_reason reason_due(const struct pool_worker *worker,
                                       const struct pool_options *options)
{
    if (worker->is_outdated)
        return REASON_OUTDATED;
    return standing_is_used_up(worker, options) ? REASON_USE : REASON_AGE;
}

/* An idle worker above the minimum goes only if those that stay are not all busy enough:
 * otherwise a new one would be started at once in its place. If they are but one connection
 * short of that, this must have been so for MAX_IDLE_TIME: a session that ends and the next client
 * that takes its place are a steady load.
 *
 * Of those that have connections to spare themselves, the first says it for all: if there is
 * another one, each leaves it behind, and may go. */
static unsigned find_past_idle(const struct pool *pool, const struct pool_options *options,
                               const struct ranking_node *all, uint64_t now)
{
    unsigned other = all->first[RANKING_PAST_IDLE], spare = all->first[RANKING_IDLE_SPARE];

    if (pool_available(pool) <= options->min_procs)
        return RANKING_NOBODY;
    if (pool->n_ready == 1)
        return pool->n_waiting == 0 && pool->n_starting == 0 ? first_of(pool, other, spare)
                                                             : RANKING_NOBODY;
    if (all->n_spare <= 1 && all->n_lasting == 0)
        other = RANKING_NOBODY;
    if (spare != RANKING_NOBODY && all->n_lasting <= 1 &&
        all->n_spare - standing_spare(&pool->workers[spare], options, now) <= 1)
        spare = RANKING_NOBODY;
    return first_of(pool, other, spare);
}

static bool decide_retirement(const struct pool *pool, const struct pool_options *options,
                              const struct ranking_node *all, uint64_t now, struct decision *ret)
{
    unsigned slot = RANKING_NOBODY;
    enum decision_reason reason = REASON_NONE;

    if (pool->is_stopping) {
        slot = find_stopping(pool, all);
        reason = REASON_STOPPING;
    } else if (pool->n_draining >= options->max_shutdown) {
        return false;
    } else if (pool->n_ready > options->max_procs) {
        slot = all->first[RANKING_READY];
        reason = REASON_SURPLUS;
    } else {
        unsigned due = find_due(pool, options, all, now);

        slot = first_of(pool, due, find_past_idle(pool, options, all, now));
        if (slot != RANKING_NOBODY)
            reason = slot == due ? reason_due(&pool->workers[slot], options) : REASON_IDLE;
    }
    if (slot == RANKING_NOBODY)
        return false;
    *ret = (struct decision){.kind = DECISION_RETIRE, .reason = reason, .slot = slot};
    return true;
}

static void consider(uint64_t moment, uint64_t now, uint64_t *next)
{
    if (moment > now && moment < *next)
        *next = moment;
}

/* The first moment after now that could change a decision by itself. A moment that has passed
 * without one waits for something else to change. */
static uint64_t next_moment(const struct pool *pool, const struct ranking_node *all, uint64_t now)
{
    bool has_past_idle = all->first[RANKING_PAST_IDLE] != RANKING_NOBODY ||
                         all->first[RANKING_IDLE_SPARE] != RANKING_NOBODY;
    uint64_t next = all->moment;

    consider(pool->next_start_at, now, &next);
    if (pool->last_expiry_at > 0)
        consider(time_add_usec(pool->last_expiry_at, EXPIRY_DISTANCE_USEC), now, &next);
    if (has_past_idle)
        consider(all->lasts_at, now, &next);
    return next;
}

static enum decision_reason reason_to_wait(const struct pool *pool,
                                           const struct pool_options *options,
                                           const struct ranking_node *all, uint64_t now)
{
    if (pool->n_waiting == 0)
        return REASON_NOTHING_DUE;
    if (pool->n_handoffs >= options->max_handoffs)
        return REASON_HANDOFFS_FULL;
    if (all->n_places_put_off > 0 && places_left(pool, options) > 0)
        return REASON_PUT_OFF;
    return now < pool->next_start_at ? REASON_START_DELAYED : REASON_NO_PLACE;
}

struct decision policy_decide(struct pool *pool, const struct pool_options *options, uint64_t now)
{
    const struct ranking_node *all = ranking_look(pool, options, now);
    struct decision decision;

    if (decide_handoff(pool, options, all, now, &decision) ||
        decide_start(pool, options, all, now, &decision) ||
        decide_retirement(pool, options, all, now, &decision))
        return decision;
    return (struct decision){.kind = DECISION_WAIT,
                             .reason = reason_to_wait(pool, options, all, now),
                             .until = next_moment(pool, all, now)};
}

bool policy_is_put_off(struct pool *pool, const struct pool_options *options, uint64_t now)
{
    return ranking_look(pool, options, now)->n_putting_off > 0;
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

enum accept_verdict policy_may_accept(struct pool *pool, const struct pool_options *options,
                                      uint64_t now)
{
    if (pool->is_stopping)
        return ACCEPT_STOPPING;
    if (pool->n_checking >= POLICY_CHECKING_MAX)
        return ACCEPT_CHECKS_FULL;
    if (pool->n_handoffs >= options->max_handoffs)
        return ACCEPT_HANDOFFS_FULL;
    const struct ranking_node *all = ranking_look(pool, options, now);
    unsigned long places = (unsigned long)all->n_places + all->n_places_put_off;
    if (all->n_putting_off > 0 && places > POLICY_PUT_OFF_MAX)
        places = POLICY_PUT_OFF_MAX;
    places += places_to_come(pool, options, now);
    return places > pool->n_waiting && places_left(pool, options) > pool->n_waiting
               ? ACCEPT_YES
               : ACCEPT_NO_PLACE;
}
