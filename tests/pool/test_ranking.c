/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Large pools, in which anything happens to any worker: the policy decides as the reference, which
 * looks at each. That it does in small pools, however they came about, is a part of each history of
 * test_policy_properties. TEST_HISTORIES says how many changes there are (default 10,000). */
#include "support/random.h"
#include "support/suite.h"

#include "base/time.h"
#include "pool/policy.h"
#include "pool/reference.h"

#include <stdlib.h>

#define CHANGES_DEFAULT 10000

/* Until the pool and its options are others. */
#define CHANGES_A_POOL 1000

static struct pool pool;
static struct pool_options options;
static struct random_source source;
static uint64_t now;

static unsigned pick(unsigned min, unsigned max)
{
    return (unsigned)random_between(&source, min, max);
}

static struct pool_options random_options(unsigned max_procs)
{
    struct pool_options random = {
        .max_procs = max_procs,
        .min_procs = pick(0, 2) > 0 ? pick(0, max_procs) : 0,
        .max_conns = pick(1, 8),
        .max_handoffs = pick(1, 2 * max_procs),
        .max_shutdown = pick(1, max_procs),
        .max_life_usec = pick(0, 1) * pick(1, 100) * USEC_PER_SEC,
        .max_life_conns = pick(0, 1) * pick(1, 50),
        .max_idle_usec = pick(0, 1) * pick(1, 50) * USEC_PER_SEC,
    };

    random.min_conns = pick(1, random.max_conns);
    return random;
}

static void begin(unsigned max_procs)
{
    pool = (struct pool){0};
    options = random_options(max_procs);
    for (unsigned i = 0; i < max_procs; i++) {
        pool_worker_started(&pool, i, now);
        if (pick(0, 9) > 0)
            pool_worker_ready(&pool, i, pick(1, options.max_conns), now);
    }
}

static void change_all(void)
{
    switch (pick(0, 4)) {
    case 0:
        options = random_options(options.max_procs);
        pool_limit_conns(&pool, options.max_conns);
        break;
    case 1:
        (void)pool_keep_outdated(&pool);
        break;
    case 2:
        pool_stop(&pool);
        for (unsigned i = pick(0, 60); i > 0; i--)
            if (pool.workers[i].state == POOL_WORKER_READY)
                pool_worker_draining(&pool, i, now);
        break;
    default:
        pool_resume(&pool);
        break;
    }
}

static void change_ready(unsigned slot)
{
    const struct pool_worker *worker = &pool.workers[slot];

    switch (pick(0, 9)) {
    case 0:
        pool_worker_blocked(&pool, slot, !worker->is_blocked);
        break;
    case 1:
        if (pick(0, 9) == 0)
            pool_worker_puts_off(&pool, slot);
        break;
    case 2:
        if (pick(0, 9) == 0)
            pool_worker_outdated(&pool, slot);
        break;
    case 3:
        if (pick(0, 3) == 0)
            pool_worker_draining(&pool, slot, now);
        break;
    default:
        if (worker->n_handoffs > 0)
            pool_handoff_acknowledged(&pool, slot);
        else if (worker->n_active > 0 && pick(0, 1) > 0)
            pool_connection_ended(&pool, slot, now);
        else if (pool_worker_load(worker) < worker->max_conns)
            pool_handoff_begun(&pool, slot);
        break;
    }
}

static void empty(unsigned slot)
{
    while (pool.workers[slot].n_handoffs > 0)
        pool_handoff_returned(&pool, slot, now);
    while (pool.workers[slot].n_active > 0)
        pool_connection_ended(&pool, slot, now);
}

static void change_worker(unsigned slot)
{
    switch (pool.workers[slot].state) {
    case POOL_WORKER_NONE:
        pool_worker_started(&pool, slot, now);
        break;
    case POOL_WORKER_STARTING:
        if (pick(0, 9) == 0)
            (void)pool_worker_exited(&pool, slot, now);
        else
            pool_worker_ready(&pool, slot, pick(1, options.max_conns), now);
        break;
    case POOL_WORKER_READY:
        change_ready(slot);
        break;
    case POOL_WORKER_DRAINING:
        empty(slot);
        (void)pool_worker_exited(&pool, slot, now);
        break;
    }
}

static void change_anything(void)
{
    if (pick(0, 99) == 0)
        change_all();
    else
        change_worker(pick(0, options.max_procs - 1));
    if (pick(0, 19) == 0)
        pool_waiting_begun(&pool);
    else if (pool.n_waiting > 0 && pick(0, 3) == 0)
        pool_waiting_ended(&pool);
    if (pick(0, 99) == 0)
        pool_expiry_begun(&pool, now);
}

/* Time goes on, mostly by little; whoever asks about another moment is answered about that. */
static uint64_t random_moment(void)
{
    now += pick(0, 9) > 0 ? pick(0, 1000) : pick(0, (unsigned)(3 * USEC_PER_SEC));
    return pick(0, 19) > 0 ? now : now - pick(0, (unsigned)(5 * USEC_PER_SEC));
}

START_TEST(test_decides_as_the_reference)
{
    const char *count = getenv("TEST_HISTORIES");
    unsigned long n_changes = count ? strtoul(count, NULL, 10) : CHANGES_DEFAULT;

    source = random_start();
    now = 1000 * USEC_PER_SEC;
    for (unsigned long i = 0; i < n_changes; i++) {
        if (i % CHANGES_A_POOL == 0)
            begin(pick(0, 3) > 0 ? pick(1, 40) : pick(1, POOL_WORKERS_MAX));
        /* Sometimes many have changed when it is asked. */
        for (unsigned n = pick(0, 9) > 0 ? 1 : pick(1, 50); n > 0; n--)
            change_anything();
        const char *difference = reference_compare(&pool, &options, random_moment());
        ck_assert_msg(!difference, "change %lu: %s", i, difference);
    }
}
END_TEST

static void be_served_by(unsigned slot)
{
    struct decision decision;

    pool_waiting_begun(&pool);
    decision = policy_decide(&pool, &options, now);
    ck_assert_int_eq(decision.kind, DECISION_HAND_OFF);
    ck_assert_uint_eq(decision.slot, slot);
    pool_waiting_ended(&pool);
    pool_handoff_begun(&pool, slot);
    pool_handoff_acknowledged(&pool, slot);
}

/* What the ranking is for: who comes first changes with each of these. */
START_TEST(test_follows_each_change)
{
    pool = (struct pool){0};
    now = 1000 * USEC_PER_SEC;
    options = (struct pool_options){.max_procs = POOL_WORKERS_MAX,
                                    .min_procs = POOL_WORKERS_MAX,
                                    .min_conns = 2,
                                    .max_conns = 2,
                                    .max_handoffs = 5,
                                    .max_shutdown = 1,
                                    .max_life_usec = 60 * USEC_PER_SEC};
    for (unsigned i = 0; i < POOL_WORKERS_MAX; i++) {
        pool_worker_started(&pool, i, now + (i < 3 ? 0 : USEC_PER_SEC));
        pool_worker_ready(&pool, i, 2, now);
    }
    be_served_by(0);
    be_served_by(1);
    pool_connection_ended(&pool, 0, now);
    be_served_by(2); /* the least used one */
    pool_worker_blocked(&pool, 3, true);
    be_served_by(4);
    pool_worker_blocked(&pool, 3, false);
    be_served_by(3);
    pool_worker_outdated(&pool, 5);
    be_served_by(6);
    for (unsigned i = 7; i < POOL_WORKERS_MAX; i++)
        be_served_by(i);
    be_served_by(0);
    now += 60 * USEC_PER_SEC; /* the first three are due, as the sixth is */
    be_served_by(3);
    now -= 60 * USEC_PER_SEC;
    be_served_by(1);
}
END_TEST

/* A start that fails at once is over before anybody asks. */
START_TEST(test_forgets_who_came_and_went)
{
    pool = (struct pool){0};
    now = 1000 * USEC_PER_SEC;
    options = (struct pool_options){.max_procs = 9,
                                    .min_procs = 1,
                                    .min_conns = 2,
                                    .max_conns = 2,
                                    .max_handoffs = 5,
                                    .max_shutdown = 1};
    pool_waiting_begun(&pool);
    for (unsigned i = 0; i < 9; i++) {
        pool_worker_started(&pool, i, now);
        pool_worker_ready(&pool, i, 2, now);
    }
    ck_assert_ptr_null(reference_compare(&pool, &options, now));
    for (unsigned n = 8; n >= 1; n /= 2) {
        for (unsigned i = n; i < 9; i++)
            if (pool.workers[i].state != POOL_WORKER_NONE)
                (void)pool_worker_exited(&pool, i, now);
        pool_limit_conns(&pool, 2);
        ck_assert_ptr_null(reference_compare(&pool, &options, now));
        pool_worker_started(&pool, n, now);
        (void)pool_worker_exited(&pool, n, now);
        ck_assert_ptr_null(reference_compare(&pool, &options, now));
    }
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("ranking");

    ADD_TESTS(suite, "changes", test_follows_each_change, test_forgets_who_came_and_went);
    ADD_TESTS(suite, "random", test_decides_as_the_reference);
    return suite;
}
