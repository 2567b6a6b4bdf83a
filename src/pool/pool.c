/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "pool/pool.h"

#include "base/time.h"

#include <assert.h>

/* Failed starts are repeated after 1, 2, 4 ... 60 seconds (dispatcherd(8)). */
#define START_DELAY_MAX_USEC (60 * USEC_PER_SEC)

const char *pool_worker_state_to_string(enum pool_worker_state state)
{
    switch (state) {
    case POOL_WORKER_NONE:
        return "none";
    case POOL_WORKER_STARTING:
        return "starting";
    case POOL_WORKER_READY:
        return "ready";
    case POOL_WORKER_DRAINING:
        return "draining";
    }
    return "unknown";
}

static unsigned *state_counter(struct pool *pool, enum pool_worker_state state)
{
    switch (state) {
    case POOL_WORKER_STARTING:
        return &pool->n_starting;
    case POOL_WORKER_READY:
        return &pool->n_ready;
    case POOL_WORKER_DRAINING:
        return &pool->n_draining;
    case POOL_WORKER_NONE:
        break;
    }
    return NULL;
}

static void set_state(struct pool *pool, struct pool_worker *worker, enum pool_worker_state state)
{
    unsigned *before = state_counter(pool, worker->state);
    unsigned *after = state_counter(pool, state);

    if (before) {
        assert(*before > 0);
        (*before)--;
    }
    if (after)
        (*after)++;
    worker->state = state;
}

/* Whoever asks for it is about to change it. */
static struct pool_worker *used_worker(struct pool *pool, unsigned slot)
{
    assert(slot < pool->n_slots && pool->workers[slot].state != POOL_WORKER_NONE);
    ranking_note(&pool->ranking, slot);
    return &pool->workers[slot];
}

void pool_worker_started(struct pool *pool, unsigned slot, uint64_t now)
{
    assert(slot < POOL_WORKERS_MAX && pool->workers[slot].state == POOL_WORKER_NONE);
    struct pool_worker *worker = &pool->workers[slot];

    ranking_note(&pool->ranking, slot);
    *worker = (struct pool_worker){.start_number = pool->n_starts++, .started_at = now};
    pool->wants_start = false;
    set_state(pool, worker, POOL_WORKER_STARTING);
    if (slot >= pool->n_slots)
        pool->n_slots = slot + 1;
}

void pool_worker_ready(struct pool *pool, unsigned slot, unsigned max_conns, uint64_t now)
{
    struct pool_worker *worker = used_worker(pool, slot);

    assert(worker->state == POOL_WORKER_STARTING && max_conns > 0);
    worker->max_conns = max_conns;
    worker->n_places = max_conns;
    worker->ready_at = now;
    worker->idle_since = now;
    set_state(pool, worker, POOL_WORKER_READY);
}

void pool_worker_draining(struct pool *pool, unsigned slot, uint64_t now)
{
    struct pool_worker *worker = used_worker(pool, slot);

    (void)now;
    assert(worker->state != POOL_WORKER_DRAINING);
    set_state(pool, worker, POOL_WORKER_DRAINING);
}

void pool_worker_restore(struct pool *pool, unsigned slot, const struct pool_worker *saved)
{
    struct pool_worker *worker = used_worker(pool, slot);

    assert(worker->state == POOL_WORKER_STARTING);
    worker->n_total = saved->n_total;
    worker->n_peak = saved->n_peak;
    worker->n_places = saved->n_places;
    worker->start_number = saved->start_number;
    worker->started_at = saved->started_at;
    worker->is_outdated = saved->is_outdated;
    if (pool->n_starts <= saved->start_number)
        pool->n_starts = saved->start_number + 1;
}

static bool has_good_worker(const struct pool *pool, uint64_t now)
{
    for (unsigned i = 0; i < pool->n_slots; i++) {
        const struct pool_worker *worker = &pool->workers[i];

        if (worker->state == POOL_WORKER_READY &&
            (worker->n_total > 0 || now >= worker->ready_at + POOL_GOOD_USEC))
            return true;
    }
    return false;
}

void pool_start_failed(struct pool *pool, uint64_t now)
{
    uint64_t delay = USEC_PER_SEC;

    if (has_good_worker(pool, now))
        pool->n_failed_starts = 0;
    for (unsigned i = 0; i < pool->n_failed_starts && delay < START_DELAY_MAX_USEC; i++)
        delay *= 2;
    pool->n_failed_starts++;
    pool->next_start_at = now + (delay < START_DELAY_MAX_USEC ? delay : START_DELAY_MAX_USEC);
}

void pool_stop(struct pool *pool)
{
    pool->is_stopping = true;
}

void pool_resume(struct pool *pool)
{
    pool->is_stopping = false;
}

void pool_forget_failures(struct pool *pool)
{
    pool->n_failed_starts = 0;
    pool->next_start_at = 0;
}

/* One that was told to go, and drains, is no failure, however young it was. */
static bool is_useless(const struct pool_worker *worker, uint64_t now)
{
    return worker->state == POOL_WORKER_STARTING ||
           (worker->state == POOL_WORKER_READY && worker->n_total == 0 &&
            now < worker->ready_at + POOL_GOOD_USEC);
}

bool pool_worker_left(struct pool *pool, unsigned slot, uint64_t now)
{
    bool has_failed = is_useless(used_worker(pool, slot), now);

    pool_worker_draining(pool, slot, now);
    if (has_failed)
        pool_start_failed(pool, now);
    return has_failed;
}

bool pool_worker_exited(struct pool *pool, unsigned slot, uint64_t now)
{
    struct pool_worker *worker = used_worker(pool, slot);

    assert(worker->n_handoffs == 0 && worker->n_active == 0);
    bool has_failed = is_useless(worker, now);
    set_state(pool, worker, POOL_WORKER_NONE);
    *worker = (struct pool_worker){0};
    while (pool->n_slots > 0 && pool->workers[pool->n_slots - 1].state == POOL_WORKER_NONE)
        pool->n_slots--;
    if (has_failed)
        pool_start_failed(pool, now);
    return has_failed;
}

void pool_expiry_begun(struct pool *pool, uint64_t now)
{
    pool->last_expiry_at = now;
}

void pool_worker_blocked(struct pool *pool, unsigned slot, bool is_blocked)
{
    used_worker(pool, slot)->is_blocked = is_blocked;
}

void pool_worker_puts_off(struct pool *pool, unsigned slot)
{
    struct pool_worker *worker = used_worker(pool, slot);

    worker->is_blocked = true;
    worker->is_putting_off = true;
}

void pool_worker_outdated(struct pool *pool, unsigned slot)
{
    used_worker(pool, slot)->is_outdated = true;
}

void pool_want_start(struct pool *pool)
{
    pool->wants_start = true;
}

unsigned pool_keep_outdated(struct pool *pool)
{
    unsigned n = 0;

    for (unsigned i = 0; i < pool->n_slots; i++) {
        n += pool->workers[i].is_outdated;
        pool->workers[i].is_outdated = false;
    }
    ranking_forget(&pool->ranking);
    return n;
}

void pool_limit_conns(struct pool *pool, unsigned max_conns)
{
    for (unsigned i = 0; i < pool->n_slots; i++)
        if (pool->workers[i].max_conns > max_conns)
            pool->workers[i].max_conns = max_conns;
    ranking_forget(&pool->ranking);
}

void pool_checking_begun(struct pool *pool)
{
    pool->n_checking++;
}

void pool_checking_ended(struct pool *pool)
{
    assert(pool->n_checking > 0);
    pool->n_checking--;
}

void pool_waiting_begun(struct pool *pool)
{
    pool->n_waiting++;
}

void pool_waiting_ended(struct pool *pool)
{
    assert(pool->n_waiting > 0);
    pool->n_waiting--;
}

void pool_handoff_begun(struct pool *pool, unsigned slot)
{
    struct pool_worker *worker = used_worker(pool, slot);

    assert(worker->state == POOL_WORKER_READY);
    assert(pool_worker_load(worker) < worker->max_conns);
    worker->n_handoffs++;
    pool->n_handoffs++;
    if (pool_worker_load(worker) > worker->n_peak)
        worker->n_peak = pool_worker_load(worker);
}

static void handoff_ended(struct pool *pool, struct pool_worker *worker)
{
    assert(worker->n_handoffs > 0 && pool->n_handoffs > 0);
    worker->n_handoffs--;
    pool->n_handoffs--;
}

static void load_fell(struct pool_worker *worker, uint64_t now)
{
    worker->load_fell_at = now;
    if (pool_worker_load(worker) == 0)
        worker->idle_since = now;
}

void pool_handoff_returned(struct pool *pool, unsigned slot, uint64_t now)
{
    struct pool_worker *worker = used_worker(pool, slot);

    handoff_ended(pool, worker);
    load_fell(worker, now);
}

void pool_handoff_acknowledged(struct pool *pool, unsigned slot)
{
    struct pool_worker *worker = used_worker(pool, slot);

    handoff_ended(pool, worker);
    worker->n_active++;
    worker->n_total++;
    worker->is_putting_off = false;
    pool->n_active++;
    pool->n_failed_starts = 0;
}

void pool_connection_adopted(struct pool *pool, unsigned slot)
{
    struct pool_worker *worker = used_worker(pool, slot);

    worker->n_active++;
    pool->n_active++;
    if (worker->n_total < worker->n_active)
        worker->n_total = worker->n_active;
    if (worker->n_peak < pool_worker_load(worker))
        worker->n_peak = pool_worker_load(worker);
}

void pool_connection_ended(struct pool *pool, unsigned slot, uint64_t now)
{
    struct pool_worker *worker = used_worker(pool, slot);

    assert(worker->n_active > 0 && pool->n_active > 0);
    worker->n_active--;
    pool->n_active--;
    load_fell(worker, now);
}

void pool_connection_passed_on(struct pool *pool, unsigned slot, uint64_t now)
{
    pool_connection_ended(pool, slot, now);
    pool->n_passed_on++;
}

void pool_passed_on_ended(struct pool *pool)
{
    assert(pool->n_passed_on > 0);
    pool->n_passed_on--;
}

void pool_passed_on_adopted(struct pool *pool)
{
    pool->n_passed_on++;
}
