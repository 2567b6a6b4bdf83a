/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/worker/life_limit.h"

#include "base/time.h"
#include "dispatcherd/core/context.h"

/* Until a new worker is ready (dispatcherd(8)). */
#define START_LIMIT_SEC 30

/* Until a worker has told what it holds: it answers as soon as its receiving thread gets the
 * processor. */
#define ANSWER_LIMIT_SEC 10

/* A worker acknowledges in microseconds; one that has not in this time does not read its channel.
 */
#define ACKNOWLEDGE_LIMIT_SEC 5

/* A worker that drains and has no session left is about to exit, by way of `stop`, which may take
 * 20 s (dispatcher-worker(3)). */
#define IDLE_DRAIN_LIMIT_SEC 30

/* A worker sees to the limit of its drain itself. It gets a little more. */
#define DRAIN_GRACE_SEC 5

/* How often a drain is looked at: sessions may end meanwhile. */
#define DRAIN_LOOK_USEC (5 * USEC_PER_SEC)

/* A worker whose channel has ended is about to exit; one without sessions that does not in this
 * time is broken, and killed. That is repeated: what kills a unit may be busy, or its socket down
 * for a moment. */
#define EXIT_LIMIT_SEC       5
#define KILL_AGAIN_LIMIT_SEC 10

/* How long an end is not reported for want of its cause, which comes within milliseconds, or never.
 */
#define CAUSE_LIMIT_USEC USEC_PER_SEC

/* How much later than it should a timer may ring. */
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

/* Not the limit itself, but when to look for it. */
static uint64_t limit_of_drain(const struct worker *worker, uint64_t now)
{
    uint64_t limit = limit_earlier(limit_of_sessions(worker), limit_of_handoffs(worker, now));

    return limit_earlier(limit, now + DRAIN_LOOK_USEC);
}

static uint64_t limit_of_exit(const struct worker *worker, uint64_t now)
{
    uint64_t limit = now + EXIT_LIMIT_SEC * USEC_PER_SEC;

    /* A unit's worker that has not said who it is: nothing else will tell of its end. */
    if (worker->pidfd < 0)
        return now;
    if (worker_in_pool(worker)->n_active == 0)
        return limit;
    /* Sessions may go on for as long as the worker was told; a little more for the exit. */
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

    if (at == USEC_INFINITY) {
        (void)sd_event_source_set_enabled(worker->limit_source, SD_EVENT_OFF);
        return;
    }
    accuracy = accuracy < ACCURACY_MAX_USEC ? accuracy : ACCURACY_MAX_USEC;
    accuracy = accuracy > ACCURACY_MIN_USEC ? accuracy : ACCURACY_MIN_USEC;
    (void)sd_event_source_set_time(worker->limit_source, at);
    (void)sd_event_source_set_time_accuracy(worker->limit_source, accuracy);
    (void)sd_event_source_set_enabled(worker->limit_source, SD_EVENT_ONESHOT);
}

int worker_limit_new(struct worker *worker, sd_event_time_handler_t on_limit)
{
    int r = sd_event_add_time_relative(worker->service->context->event, &worker->limit_source,
                                       CLOCK_MONOTONIC, 0, 0, on_limit, worker);

    if (r >= 0)
        worker_limit_begin(worker);
    return r < 0 ? r : 0;
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

/* One look for as long as hand-offs are under way, instead of a timer for each of them. */
void worker_watch_handoffs(struct worker *worker, uint64_t now)
{
    int enabled = SD_EVENT_OFF;

    (void)sd_event_source_get_enabled(worker->limit_source, &enabled);
    if (enabled == SD_EVENT_OFF)
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
    return limit_is_idle(worker) ? "drains, has no session left, and does not end"
                                 : "drains for longer than its limit";
}

const char *worker_past_exit(const struct worker *worker)
{
    const char *past = worker->drains_since > 0 ? worker_past_drain(worker) : NULL;

    return past && !limit_is_idle(worker) ? past : "has lost its channel and does not end";
}
