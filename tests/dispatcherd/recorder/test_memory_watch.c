/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "base/time.h"
#include "dispatcherd/recorder/memory_watch.h"
#include "support/suite.h"

#define NOW   (1000 * USEC_PER_SEC)
#define SOON  (NOW + 2 * USEC_PER_SEC)
#define LATER (NOW + 60 * USEC_PER_SEC)

static struct pool pool;
static struct memory_watch watch;

static void add_workers(unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        unsigned slot = pool.n_slots;

        pool_worker_started(&pool, slot, NOW);
        pool_worker_ready(&pool, slot, 100, NOW);
    }
}

static void add_sessions(unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        pool_handoff_begun(&pool, 0);
}

static uint64_t due(void)
{
    return memory_watch_due(&watch, &pool, NOW);
}

START_TEST(test_the_first_look_is_at_the_first_worker)
{
    ck_assert_uint_eq(due(), USEC_INFINITY);
    pool_worker_started(&pool, 0, NOW);
    ck_assert_uint_eq(due(), USEC_INFINITY);
    pool_worker_ready(&pool, 0, 100, NOW);
    ck_assert_uint_eq(due(), NOW);
    memory_watch_looked(&watch, &pool, NOW);
    ck_assert_uint_eq(due(), USEC_INFINITY);
}
END_TEST

START_TEST(test_sessions_that_are_many)
{
    add_workers(1);
    memory_watch_looked(&watch, &pool, NOW);
    add_sessions(7);
    ck_assert_uint_eq(due(), LATER);
    add_sessions(1);
    ck_assert_uint_eq(due(), SOON);
    /* A quarter of 32. */
    add_sessions(24);
    memory_watch_looked(&watch, &pool, NOW);
    add_sessions(7);
    ck_assert_uint_eq(due(), LATER);
    add_sessions(1);
    ck_assert_uint_eq(due(), SOON);
    /* Eight are less than a quarter of 40. */
    memory_watch_looked(&watch, &pool, NOW);
    add_sessions(8);
    ck_assert_uint_eq(due(), LATER);
    for (unsigned i = 0; i < 8; i++)
        pool_handoff_returned(&pool, 0, NOW);
    ck_assert_uint_eq(due(), USEC_INFINITY);
}
END_TEST

START_TEST(test_workers_that_are_many)
{
    add_workers(1);
    memory_watch_looked(&watch, &pool, NOW);
    add_workers(1);
    ck_assert_uint_eq(due(), SOON);
    add_workers(8);
    memory_watch_looked(&watch, &pool, NOW);
    add_workers(2);
    ck_assert_uint_eq(due(), LATER);
    add_workers(1);
    ck_assert_uint_eq(due(), SOON);
    /* Draining ones have memory, too. */
    memory_watch_looked(&watch, &pool, NOW);
    pool_worker_draining(&pool, 1, NOW);
    ck_assert_uint_eq(due(), USEC_INFINITY);
    (void)pool_worker_exited(&pool, 1, NOW);
    ck_assert_uint_eq(due(), LATER);
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("memory_watch");

    ADD_TESTS(suite, "memory_watch", test_the_first_look_is_at_the_first_worker,
              test_sessions_that_are_many, test_workers_that_are_many);
    return suite;
}
