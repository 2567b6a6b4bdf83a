/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/suite.h"

#include "base/macro.h"
#include "base/time.h"
#include "pool/pool.h"

#include <signal.h>

#define START     (1000 * USEC_PER_SEC)
#define MAX_CONNS 10

static struct pool pool;

static void begin(void)
{
    pool = (struct pool){0};
}

static void add_ready(unsigned slot, uint64_t now)
{
    pool_worker_started(&pool, slot, now);
    pool_worker_ready(&pool, slot, MAX_CONNS, now);
}

static void serve(unsigned slot)
{
    pool_handoff_begun(&pool, slot);
    pool_handoff_acknowledged(&pool, slot);
}

START_TEST(test_failures_that_are_forgotten_delay_nothing)
{
    begin();
    for (int i = 0; i < 5; i++)
        pool_start_failed(&pool, START);
    ck_assert_uint_gt(pool.next_start_at, START + 10 * USEC_PER_SEC);
    pool_forget_failures(&pool);
    ck_assert_uint_le(pool.next_start_at, START);
    pool_start_failed(&pool, START);
    ck_assert_uint_eq(pool.next_start_at, START + USEC_PER_SEC); /* they begin anew */
}
END_TEST

START_TEST(test_worker_is_counted_in_the_state_it_is_in)
{
    begin();
    pool_worker_started(&pool, 0, START);
    ck_assert_uint_eq(pool.n_starting, 1);
    ck_assert_uint_eq(pool_available(&pool), 1);
    pool_worker_ready(&pool, 0, MAX_CONNS, START + 1);
    ck_assert_uint_eq(pool.n_starting, 0);
    ck_assert_uint_eq(pool.n_ready, 1);
    ck_assert_uint_eq(pool.workers[0].max_conns, MAX_CONNS);
    ck_assert_uint_eq(pool_available(&pool), 1);
    pool_worker_draining(&pool, 0, START + 2);
    ck_assert_uint_eq(pool.n_ready, 0);
    ck_assert_uint_eq(pool.n_draining, 1);
    ck_assert_uint_eq(pool_available(&pool), 0);
    ck_assert_uint_eq(pool_total(&pool), 1);
    ck_assert(!pool_worker_exited(&pool, 0, START + 3));
    ck_assert_uint_eq(pool_total(&pool), 0);
    ck_assert_int_eq(pool.workers[0].state, POOL_WORKER_NONE);
}
END_TEST

START_TEST(test_each_start_has_the_next_number)
{
    begin();
    pool_worker_started(&pool, 0, START);
    pool_worker_started(&pool, 1, START + 5);
    ck_assert_uint_eq(pool.workers[0].start_number, 0);
    ck_assert_uint_eq(pool.workers[1].start_number, 1);
    ck_assert_uint_eq(pool.workers[1].started_at, START + 5);
    pool_worker_exited(&pool, 0, START);
    pool_worker_started(&pool, 0, START);
    ck_assert_uint_eq(pool.workers[0].start_number, 2);
    ck_assert_uint_eq(pool.n_starts, 3);
}
END_TEST

START_TEST(test_slots_above_n_slots_are_free)
{
    begin();
    pool_worker_started(&pool, 2, START);
    ck_assert_uint_eq(pool.n_slots, 3);
    pool_worker_started(&pool, 0, START);
    ck_assert_uint_eq(pool.n_slots, 3);
    pool_worker_exited(&pool, 2, START);
    ck_assert_uint_eq(pool.n_slots, 1);
    pool_worker_exited(&pool, 0, START);
    ck_assert_uint_eq(pool.n_slots, 0);
    pool_worker_started(&pool, POOL_WORKERS_MAX - 1, START);
    ck_assert_uint_eq(pool.n_slots, POOL_WORKERS_MAX);
}
END_TEST

START_TEST(test_connection_is_counted_at_each_step)
{
    begin();
    add_ready(0, START);
    add_ready(1, START);
    pool_checking_begun(&pool);
    ck_assert_uint_eq(pool.n_checking, 1);
    pool_checking_ended(&pool);
    pool_waiting_begun(&pool);
    ck_assert_uint_eq(pool.n_checking, 0);
    ck_assert_uint_eq(pool.n_waiting, 1);
    pool_waiting_ended(&pool);
    pool_handoff_begun(&pool, 1);
    ck_assert_uint_eq(pool.n_waiting, 0);
    ck_assert_uint_eq(pool.n_handoffs, 1);
    ck_assert_uint_eq(pool_worker_load(&pool.workers[1]), 1);
    ck_assert_uint_eq(pool.workers[1].n_total, 0);
    pool_handoff_acknowledged(&pool, 1);
    ck_assert_uint_eq(pool.n_handoffs, 0);
    ck_assert_uint_eq(pool.n_active, 1);
    ck_assert_uint_eq(pool.workers[1].n_total, 1);
    ck_assert_uint_eq(pool_worker_load(&pool.workers[0]), 0);
    pool_connection_ended(&pool, 1, START + 9);
    ck_assert_uint_eq(pool.n_active, 0);
    ck_assert_uint_eq(pool_worker_load(&pool.workers[1]), 0);
    ck_assert_uint_eq(pool.workers[1].n_total, 1);
}
END_TEST

START_TEST(test_returned_handoff_is_no_connection_of_the_worker)
{
    begin();
    add_ready(0, START);
    pool_handoff_begun(&pool, 0);
    pool_handoff_returned(&pool, 0, START + 7);
    ck_assert_uint_eq(pool.n_handoffs, 0);
    ck_assert_uint_eq(pool.n_active, 0);
    ck_assert_uint_eq(pool.workers[0].n_total, 0);
    ck_assert_uint_eq(pool.workers[0].idle_since, START + 7);
}
END_TEST

START_TEST(test_peak_is_the_most_at_a_time)
{
    begin();
    add_ready(0, START);
    serve(0);
    pool_handoff_begun(&pool, 0);
    pool_handoff_acknowledged(&pool, 0);
    pool_connection_ended(&pool, 0, START);
    serve(0);
    ck_assert_uint_eq(pool.workers[0].n_peak, 2);
    ck_assert_uint_eq(pool.workers[0].n_total, 3);
}
END_TEST

START_TEST(test_worker_is_idle_since_it_was_ready_or_lost_its_last_connection)
{
    begin();
    pool_worker_started(&pool, 0, START);
    pool_worker_ready(&pool, 0, MAX_CONNS, START + 1);
    ck_assert_uint_eq(pool.workers[0].idle_since, START + 1);
    serve(0);
    serve(0);
    ck_assert_uint_eq(pool.workers[0].load_fell_at, 0);
    pool_connection_ended(&pool, 0, START + 2);
    ck_assert_uint_eq(pool.workers[0].load_fell_at, START + 2);
    ck_assert_uint_eq(pool.workers[0].idle_since, START + 1);
    pool_connection_ended(&pool, 0, START + 3);
    ck_assert_uint_eq(pool.workers[0].idle_since, START + 3);
}
END_TEST

START_TEST(test_blocked_is_set_and_forgotten_with_the_worker)
{
    begin();
    add_ready(0, START);
    pool_worker_blocked(&pool, 0, true);
    ck_assert(pool.workers[0].is_blocked);
    pool_worker_blocked(&pool, 0, false);
    ck_assert(!pool.workers[0].is_blocked);
    pool_worker_blocked(&pool, 0, true);
    pool_worker_exited(&pool, 0, START);
    add_ready(0, START);
    ck_assert(!pool.workers[0].is_blocked);
}
END_TEST

START_TEST(test_delay_doubles_with_each_failed_start_up_to_a_minute)
{
    static const unsigned delays_sec[] = {1, 2, 4, 8, 16, 32, 60, 60, 60};
    uint64_t now = START;

    begin();
    for (size_t i = 0; i < ELEMENTSOF(delays_sec); i++) {
        pool_worker_started(&pool, 0, now);
        ck_assert(pool_worker_exited(&pool, 0, now));
        ck_assert_uint_eq(pool.n_failed_starts, i + 1);
        ck_assert_uint_eq(pool.next_start_at, now + delays_sec[i] * USEC_PER_SEC);
        now = pool.next_start_at;
    }
    pool.n_failed_starts = 1000000;
    pool_start_failed(&pool, now);
    ck_assert_uint_eq(pool.next_start_at, now + 60 * USEC_PER_SEC);
}
END_TEST

START_TEST(test_start_that_did_not_begin_delays_as_well)
{
    begin();
    pool_start_failed(&pool, START);
    pool_start_failed(&pool, START);
    ck_assert_uint_eq(pool.next_start_at, START + 2 * USEC_PER_SEC);
    ck_assert_uint_eq(pool_total(&pool), 0);
}
END_TEST

/* How a worker ends, and whether that is a failed start. */
static const struct {
    const char *name;
    bool is_ready, has_served, is_draining, has_failed;
    uint64_t age_usec; /* since it was ready */
} deaths[] = {
    {"before it is ready", false, false, false, true, 0},
    {"ready and useless", true, false, false, true, POOL_GOOD_USEC - 1},
    {"ready for long", true, false, false, false, POOL_GOOD_USEC},
    {"served a connection", true, true, false, false, 0},
    {"told to go, young", true, false, true, false, 0},
    {"told to go before it was ready", false, false, true, false, 0},
};

START_TEST(test_failed_start_is_a_worker_that_was_not_useful)
{
    for (size_t i = 0; i < ELEMENTSOF(deaths); i++) {
        begin();
        pool_worker_started(&pool, 0, START);
        if (deaths[i].is_ready)
            pool_worker_ready(&pool, 0, MAX_CONNS, START);
        if (deaths[i].has_served) {
            serve(0);
            pool_connection_ended(&pool, 0, START);
        }
        if (deaths[i].is_draining)
            pool_worker_draining(&pool, 0, START);
        bool has_failed = pool_worker_exited(&pool, 0, START + deaths[i].age_usec);
        ck_assert_msg(has_failed == deaths[i].has_failed, "%s", deaths[i].name);
        ck_assert_msg((pool.n_failed_starts > 0) == has_failed, "%s", deaths[i].name);
        ck_assert_msg((pool.next_start_at > 0) == has_failed, "%s", deaths[i].name);
    }
}
END_TEST

START_TEST(test_one_that_leaves_unasked_fails_once)
{
    begin();
    pool_worker_started(&pool, 0, START);
    pool_worker_ready(&pool, 0, MAX_CONNS, START);
    ck_assert(pool_worker_left(&pool, 0, START + 1));
    ck_assert_uint_eq(pool.workers[0].state, POOL_WORKER_DRAINING);
    ck_assert_uint_eq(pool.n_failed_starts, 1);
    ck_assert(!pool_worker_exited(&pool, 0, START + 2));
    ck_assert_uint_eq(pool.n_failed_starts, 1);
}
END_TEST

START_TEST(test_one_that_has_served_may_leave)
{
    begin();
    pool_worker_started(&pool, 0, START);
    pool_worker_ready(&pool, 0, MAX_CONNS, START);
    serve(0);
    ck_assert(!pool_worker_left(&pool, 0, START + 1));
    ck_assert_uint_eq(pool.n_failed_starts, 0);
}
END_TEST

START_TEST(test_served_connection_resets_the_delay)
{
    begin();
    pool_start_failed(&pool, START);
    pool_start_failed(&pool, START);
    add_ready(0, START);
    serve(0);
    ck_assert_uint_eq(pool.n_failed_starts, 0);
    pool_start_failed(&pool, START);
    ck_assert_uint_eq(pool.next_start_at, START + USEC_PER_SEC);
}
END_TEST

START_TEST(test_delay_does_not_grow_while_a_worker_is_good)
{
    begin();
    pool_start_failed(&pool, START);
    pool_start_failed(&pool, START);
    add_ready(0, START);
    pool_start_failed(&pool, START + POOL_GOOD_USEC - 1);
    ck_assert_uint_eq(pool.n_failed_starts, 3);
    pool_start_failed(&pool, START + POOL_GOOD_USEC);
    ck_assert_uint_eq(pool.n_failed_starts, 1);
    pool_start_failed(&pool, START + POOL_GOOD_USEC);
    ck_assert_uint_eq(pool.next_start_at, START + POOL_GOOD_USEC + USEC_PER_SEC);
}
END_TEST

START_TEST(test_expiry_is_remembered)
{
    begin();
    pool_expiry_begun(&pool, START + 3);
    ck_assert_uint_eq(pool.last_expiry_at, START + 3);
}
END_TEST

START_TEST(test_more_than_the_worker_can_serve_stops_the_program)
{
    begin();
    pool_worker_started(&pool, 0, START);
    pool_worker_ready(&pool, 0, 1, START);
    serve(0);
    pool_handoff_begun(&pool, 0);
}
END_TEST

START_TEST(test_handoff_to_a_draining_worker_stops_the_program)
{
    begin();
    add_ready(0, START);
    pool_worker_draining(&pool, 0, START);
    pool_handoff_begun(&pool, 0);
}
END_TEST

START_TEST(test_exit_with_connections_stops_the_program)
{
    begin();
    add_ready(0, START);
    serve(0);
    pool_worker_exited(&pool, 0, START);
}
END_TEST

START_TEST(test_places_are_what_the_worker_said_whatever_the_limit_is)
{
    static struct pool successor;

    begin();
    add_ready(0, START);
    pool_limit_conns(&pool, 2);
    ck_assert_uint_eq(pool.workers[0].max_conns, 2);
    ck_assert_uint_eq(pool.workers[0].n_places, MAX_CONNS);
    successor = (struct pool){0};
    pool_worker_started(&successor, 0, START);
    pool_worker_restore(&successor, 0, &pool.workers[0]);
    ck_assert_uint_eq(successor.workers[0].max_conns, 0);
    ck_assert_uint_eq(successor.workers[0].n_places, MAX_CONNS);
}
END_TEST

START_TEST(test_states_have_names)
{
    ck_assert_str_eq(pool_worker_state_to_string(POOL_WORKER_NONE), "none");
    ck_assert_str_eq(pool_worker_state_to_string(POOL_WORKER_STARTING), "starting");
    ck_assert_str_eq(pool_worker_state_to_string(POOL_WORKER_READY), "ready");
    ck_assert_str_eq(pool_worker_state_to_string(POOL_WORKER_DRAINING), "draining");
}
END_TEST

/* Wrong calls are errors of the program: assert() ends it. */
static void add_wrong_calls(Suite *suite)
{
    TCase *tcase = tcase_create("wrong calls");

    tcase_add_test_raise_signal(tcase, test_more_than_the_worker_can_serve_stops_the_program,
                                SIGABRT);
    tcase_add_test_raise_signal(tcase, test_handoff_to_a_draining_worker_stops_the_program,
                                SIGABRT);
    tcase_add_test_raise_signal(tcase, test_exit_with_connections_stops_the_program, SIGABRT);
    suite_add_tcase(suite, tcase);
}

Suite *make_suite(void)
{
    Suite *suite = suite_create("pool");

    ADD_TESTS(suite, "worker", test_failures_that_are_forgotten_delay_nothing,
              test_worker_is_counted_in_the_state_it_is_in, test_each_start_has_the_next_number,
              test_slots_above_n_slots_are_free, test_blocked_is_set_and_forgotten_with_the_worker,
              test_expiry_is_remembered, test_places_are_what_the_worker_said_whatever_the_limit_is,
              test_states_have_names);
    ADD_TESTS(suite, "connection", test_connection_is_counted_at_each_step,
              test_returned_handoff_is_no_connection_of_the_worker, test_peak_is_the_most_at_a_time,
              test_worker_is_idle_since_it_was_ready_or_lost_its_last_connection);
    ADD_TESTS(suite, "failed start", test_delay_doubles_with_each_failed_start_up_to_a_minute,
              test_start_that_did_not_begin_delays_as_well,
              test_failed_start_is_a_worker_that_was_not_useful,
              test_one_that_leaves_unasked_fails_once, test_one_that_has_served_may_leave,
              test_served_connection_resets_the_delay,
              test_delay_does_not_grow_while_a_worker_is_good);
    add_wrong_calls(suite);
    return suite;
}
