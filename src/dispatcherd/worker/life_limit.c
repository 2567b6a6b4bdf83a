/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/worker/life_limit.h"

#include "base/time.h"
#include "dispatcherd/core/context.h"

/* How long a new worker may take to be ready (dispatcherd(8)). */
#define START_LIMIT_SEC 30

/* How long a worker may take to report what it holds: it answers as soon as its receiving thread
 * runs. */
#define ANSWER_LIMIT_SEC 10

/* A worker acknowledges within microseconds; if it takes this long, it does not read its channel.
 */
#define ACKNOWLEDGE_LIMIT_SEC 5

/* A worker that drains and has no session left is about to exit; its function `stop` may take 20 s
 * (dispatcher-worker(3)). */
#define IDLE_DRAIN_LIMIT_SEC 30

/* A worker keeps the limit of its drain itself; this is in addition. */
#define DRAIN_GRACE_SEC 5

/* How often a drain is looked at: sessions may end in the meantime. */
#define DRAIN_LOOK_USEC (5 * USEC_PER_SEC)

/* A worker whose channel has ended should exit. One without sessions that has not after this time
 * is broken, and is killed. That is repeated: what kills a unit may be busy, or its socket closed
 * for a moment. */
#define EXIT_LIMIT_SEC       5
#define KILL_AGAIN_LIMIT_SEC 10

/* How long the report of an end waits for its cause. That comes within milliseconds, unless systemd
 * is busy; or never. */
#define CAUSE_LIMIT_USEC (3 * USEC_PER_SEC)

/* A timer may fire this much late. */
#define ACCURACY_MIN_USEC USEC_PER_MSEC
#define ACCURACY_MAX_USEC (USEC_PER_SEC / 4)

static uint64_t limit_earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t limit_of_start(const struct worker *worker, _unused_ uint64_t now)
{
    return worker_in_pool(worker)->started_at + START_LIMIT_SEC * USEC_PER_SEC;
}

static uint64_t limit_of_answer(_unused_ const struct worker *worker, uint64_t now)
{
    return now + ANSWER_LIMIT_SEC * USEC_PER_SEC;
}

static uint64_t limit_of_handoffs(const struct worker *worker, _unused_ uint64_t now)
{
    uint64_t oldest = USEC_INFINITY;

    for (unsigned i = 0; i < worker->n_held; i++)
        if (worker->held[i]->state == CONNECTION_HANDOFF)
            oldest = limit_earlier(oldest, worker->held[i]->handed_at);
    return oldest == USEC_INFINITY ? oldest : oldest + ACKNOWLEDGE_LIMIT_SEC * USEC_PER_SEC;
}

static bool limit_is_idle(const struct worker *worker)
{
    return pool_worker_load(worker_in_pool(worker)) == 0;
}

static uint64_t limit_of_sessions(const struct worker *worker)
{
    const struct pool_worker *in_pool = worker_in_pool(worker);
    uint64_t idle_since =
        in_pool->idle_since > worker->drains_since ? in_pool->idle_since : worker->drains_since;

    return limit_earlier(worker->drains_until,
                         limit_is_idle(worker) ? idle_since + IDLE_DRAIN_LIMIT_SEC * USEC_PER_SEC
                                               : USEC_INFINITY);
}

/* When to look at the drain next; that may be before the limit itself. */
static uint64_t limit_of_drain(const struct worker *worker, uint64_t now)
{
    uint64_t limit = limit_earlier(limit_of_sessions(worker), limit_of_handoffs(worker, now));

    return limit_earlier(limit, now + DRAIN_LOOK_USEC);
}

static uint64_t limit_of_exit(const struct worker *worker, uint64_t now)
{
    uint64_t limit = now + EXIT_LIMIT_SEC * USEC_PER_SEC;

    /* The worker of a unit that has not said who it is: nothing else would report its end. */
    if (worker->pidfd < 0)
        return now;
    if (worker_in_pool(worker)->n_active == 0)
        return limit;
    /* Sessions may go on as long as the worker was told; its exit gets a little more. */
    limit += worker->service->context->stop_limit_sec * USEC_PER_SEC;
    return worker->drains_since > 0 && !worker->lost_reason
               ? limit_earlier(limit, worker->drains_until)
               : limit;
}

static uint64_t limit_of_cause(_unused_ const struct worker *worker, uint64_t now)
{
    return now + CAUSE_LIMIT_USEC;
}

static uint64_t limit_of_unit(const struct worker *worker, uint64_t now)
{
    return now + worker->linger_look_usec;
}

static uint64_t (*const limits[N_WORKER_STATES])(const struct worker *worker, uint64_t now) = {
    [WORKER_STARTING] = limit_of_start, [WORKER_ADOPTED] = limit_of_answer,
    [WORKER_WELCOMED] = limit_of_start, [WORKER_READY] = limit_of_handoffs,
    [WORKER_DRAINING] = limit_of_drain, [WORKER_CLOSED] = limit_of_exit,
    [WORKER_EXITED] = limit_of_cause,   [WORKER_LINGERING] = limit_of_unit,
};

static void limit_set(struct worker *worker, uint64_t at, uint64_t now)
{
    uint64_t accuracy = at > now ? (at - now) / 10 : 0;

    accuracy = accuracy < ACCURACY_MAX_USEC ? accuracy : ACCURACY_MAX_USEC;
    accuracy = accuracy > ACCURACY_MIN_USEC ? accuracy : ACCURACY_MIN_USEC;
    timer_set_accuracy(&worker->limit_timer, accuracy);
    timer_set_at(&worker->limit_timer, at);
}

int worker_limit_new(struct worker *worker, void (*on_limit)(void *userdata))
{
    int r = timer_init(&worker->limit_timer, worker->service->context->event, ACCURACY_MAX_USEC,
                       on_limit, worker);

    if (r == 0)
        worker_limit_begin(worker);
    return r;
}

void worker_limit_begin(struct worker *worker)
{
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);

    limit_set(worker, limits[worker->state](worker, now), now);
}

void worker_limit_kill_again(struct worker *worker)
{
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);

    limit_set(worker, now + KILL_AGAIN_LIMIT_SEC * USEC_PER_SEC, now);
}

/* One timer for all hand-offs under way, not one for each. */
void worker_watch_handoffs(struct worker *worker, uint64_t now)
{
    if (!timer_is_set(&worker->limit_timer))
        limit_set(worker, now + ACKNOWLEDGE_LIMIT_SEC * USEC_PER_SEC, now);
}

void worker_limit_drain(struct worker *worker, unsigned limit_sec)
{
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);
    uint64_t until = now + (limit_sec + DRAIN_GRACE_SEC) * USEC_PER_SEC;

    if (worker->drains_since == 0) {
        worker->drains_since = now;
        worker->drains_until = USEC_INFINITY;
    }
    if (until < worker->drains_until)
        worker->drains_until = until;
}

bool worker_is_past_handoff(const struct worker *worker)
{
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);

    return limit_of_handoffs(worker, now) <= now;
}

const char *worker_past_drain(const struct worker *worker)
{
    if (limit_of_sessions(worker) > time_now_usec(CLOCK_MONOTONIC))
        return NULL;
    return limit_is_idle(worker) ? "drains, has no sessions, and does not exit"
                                 : "drains for longer than its limit";
}

const char *worker_past_exit(const struct worker *worker)
{
    const char *past = worker->drains_since > 0 ? worker_past_drain(worker) : NULL;

    return past && !limit_is_idle(worker) ? past : "has lost its channel and does not exit";
}
