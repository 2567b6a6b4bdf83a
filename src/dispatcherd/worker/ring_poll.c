/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/worker/ring_poll.h"

#include "base/time.h"
#include "dispatcherd/worker/life.h"

/* As long as a worker waits before it sends NEWS of a session's end (dispatcher-worker(7)). */
#define RECENT_USEC (5 * USEC_PER_MSEC)

/* How many rings of each kind are polled before anything else is done. Each is in memory of its
 * own, so a look costs some 40 ns. */
#define LOOKS_AT_ONCE 32

static bool ring_poll_is_answering(const struct worker *worker)
{
    return worker_in_pool(worker)->n_handoffs > 0;
}

/* Stops polling the ring, and asks the worker to send NEWS. Returns true if it had news before it
 * could see that. */
static bool ring_poll_leave(struct worker *worker)
{
    ring_watch_end(worker);
    if (worker->n_held == 0)
        return false;
    ring_want(&worker->ring, RING_WANTS_ENDS);
    return worker_catch_up(worker);
}

/* Decides, after the ring was read, whether it is polled again. */
static void ring_poll_rank(struct worker *worker, bool has_read, uint64_t now)
{
    bool was_answering = worker->watched.queue == &worker->service->ring_watch.answering;

    if (!worker->ring.memory)
        return; /* the ring was closed while it was read */
    if (ring_poll_is_answering(worker)) {
        ring_watch_answering(worker);
    } else if (worker->n_held == 0) {
        ring_watch_end(worker);
    } else if (has_read || was_answering) {
        ring_want(&worker->ring, 0);
        ring_watch_recent(worker, now + RECENT_USEC);
    } else if (now < worker->watched.until) {
        ring_watch_recent(worker, worker->watched.until);
    } else if (ring_poll_leave(worker)) {
        ring_poll_rank(worker, true, now);
    }
}

static bool ring_poll_look_now(struct worker *worker, uint64_t now)
{
    bool has_read = worker_catch_up(worker);

    ring_poll_rank(worker, has_read, now);
    return has_read;
}

/* Polls the first n; each then goes to the end of its queue, or leaves it. */
static bool ring_poll_look_at_first(const struct ring_watch_queue *queue, unsigned n, uint64_t now)
{
    struct worker *worker;
    bool has_read = false;

    for (; n > 0 && (worker = TAILQ_FIRST(queue)); n--)
        has_read |= ring_poll_look_now(worker, now);
    return has_read;
}

static unsigned ring_poll_at_once(unsigned n)
{
    return n < LOOKS_AT_ONCE ? n : LOOKS_AT_ONCE;
}

bool ring_poll_likely(struct service *service)
{
    const struct ring_watch *watch = &service->ring_watch;
    unsigned n_answering = ring_poll_at_once(watch->n_answering);
    unsigned n_recent = ring_poll_at_once(watch->n_recent);
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);

    bool has_read = ring_poll_look_at_first(&watch->answering, n_answering, now);
    return ring_poll_look_at_first(&watch->recent, n_recent, now) || has_read;
}

void ring_poll_one(struct worker *worker)
{
    if (worker->ring.memory)
        (void)ring_poll_look_now(worker, time_now_usec(CLOCK_MONOTONIC));
}

bool ring_poll_all(struct service *service)
{
    bool has_read = false;

    for (unsigned slot = 0; slot < service->pool->n_slots; slot++)
        if (service->workers[slot])
            has_read |= worker_catch_up(service->workers[slot]);
    return has_read;
}

static bool ring_poll_ask(struct worker *worker, uint32_t wanted, uint64_t now)
{
    bool is_new = (wanted & ~worker->ring.wanted) != 0;

    ring_want(&worker->ring, wanted);
    if (is_new)
        return ring_poll_look_now(worker, now);
    ring_watch_answering(worker);
    return false;
}

bool ring_poll_want(struct service *service, uint32_t wanted)
{
    const struct ring_watch *watch = &service->ring_watch;
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);
    struct worker *worker;
    bool has_read = false;

    for (unsigned n = watch->n_answering; n > 0 && (worker = TAILQ_FIRST(&watch->answering)); n--)
        has_read |= ring_poll_ask(worker, wanted, now);
    if (!(wanted & RING_WANTS_ENDS))
        return has_read;
    for (unsigned n = watch->n_recent; n > 0 && (worker = TAILQ_FIRST(&watch->recent)); n--)
        has_read |= ring_poll_leave(worker);
    return has_read;
}
