/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The end of a worker's life and of a service's, as scenes; see test_policy.c. */
#include "pool/policy_scene.h"

START_TEST(test_idle_workers_go_down_to_the_minimum)
{
    BEGIN(.min_procs = 1, .max_idle_usec = 2 * USEC_PER_SEC);
    WORKERS(0, 0, 0);
    expect_wait(REASON_NOTHING_DUE, now + 2 * USEC_PER_SEC);
    now += 2 * USEC_PER_SEC - 1;
    expect_wait(REASON_NOTHING_DUE, now + 1);
    now += 1;
    expect_retire(REASON_IDLE, 0);
    expect_retire(REASON_IDLE, 1);
    expect_wait(REASON_NOTHING_DUE, USEC_INFINITY);
}
END_TEST

START_TEST(test_the_minimum_stays_however_idle)
{
    BEGIN(.min_procs = 3, .max_idle_usec = 2 * USEC_PER_SEC);
    WORKERS(0, 0, 0);
    now += 100 * USEC_PER_SEC;
    expect_wait(REASON_NOTHING_DUE, USEC_INFINITY);
}
END_TEST

START_TEST(test_last_idle_worker_goes_where_the_minimum_is_0)
{
    BEGIN(.max_idle_usec = 2 * USEC_PER_SEC);
    WORKERS(0);
    now += 2 * USEC_PER_SEC;
    expect_retire(REASON_IDLE, 0);
}
END_TEST

START_TEST(test_idle_worker_stays_where_it_would_be_started_again)
{
    BEGIN(.min_procs = 1, .max_idle_usec = 2 * USEC_PER_SEC);
    WORKERS(3, 0);
    now += 100 * USEC_PER_SEC;
    expect_wait(REASON_NOTHING_DUE, USEC_INFINITY);
}
END_TEST

START_TEST(test_steady_load_keeps_the_idle_worker_it_needs)
{
    BEGIN(.min_procs = 1, .max_idle_usec = 2 * USEC_PER_SEC);
    WORKERS(3, 0);
    now += 10 * USEC_PER_SEC;
    pool_connection_ended(&pool, 0, now);
    expect_wait(REASON_NOTHING_DUE, now + 2 * USEC_PER_SEC);
    now += 2 * USEC_PER_SEC - 1;
    expect_wait(REASON_NOTHING_DUE, now + 1);
    now += 1;
    expect_retire(REASON_IDLE, 1);
}
END_TEST

START_TEST(test_idle_worker_goes_at_once_where_others_have_more_to_spare)
{
    BEGIN(.min_procs = 1, .max_idle_usec = 2 * USEC_PER_SEC);
    WORKERS(3, 0);
    now += 10 * USEC_PER_SEC;
    pool_connection_ended(&pool, 0, now);
    pool_connection_ended(&pool, 0, now);
    expect_retire(REASON_IDLE, 1);
}
END_TEST

START_TEST(test_idle_worker_stays_in_the_place_of_one_that_is_due_or_blocked)
{
    BEGIN(.max_idle_usec = 2 * USEC_PER_SEC, .max_life_conns = 1, .max_shutdown = 1);
    WORKERS(1, 0, 1);
    now += 10 * USEC_PER_SEC;
    pool_worker_draining(&pool, 2, now);
    pool_connection_ended(&pool, 2, now);
    pool_worker_exited(&pool, 2, now);
    expect_retire(REASON_USE, 0);

    BEGIN(.max_idle_usec = 2 * USEC_PER_SEC);
    WORKERS(1, 0);
    now += 10 * USEC_PER_SEC;
    pool_worker_blocked(&pool, 0, true);
    expect_wait(REASON_NOTHING_DUE, USEC_INFINITY);
}
END_TEST

START_TEST(test_worker_with_a_session_is_not_idle)
{
    BEGIN(.min_procs = 1, .max_idle_usec = 2 * USEC_PER_SEC);
    WORKERS(1, 1);
    now += 100 * USEC_PER_SEC;
    expect_wait(REASON_NOTHING_DUE, USEC_INFINITY);
    pool_handoff_begun(&pool, 0);
    pool_connection_ended(&pool, 0, now);
    expect_wait(REASON_NOTHING_DUE, USEC_INFINITY);
}
END_TEST

START_TEST(test_idle_worker_waits_for_a_shutdown_slot)
{
    BEGIN(.max_shutdown = 1, .max_idle_usec = 2 * USEC_PER_SEC);
    WORKERS(1, 0, 0);
    now += 2 * USEC_PER_SEC;
    pool_worker_draining(&pool, 0, now);
    expect_wait(REASON_NOTHING_DUE, USEC_INFINITY);
    pool_connection_ended(&pool, 0, now);
    pool_worker_exited(&pool, 0, now);
    expect_retire(REASON_IDLE, 1);
}
END_TEST

START_TEST(test_used_up_worker_drains_after_its_successor_is_ready)
{
    BEGIN(.min_procs = 1, .max_procs = 2, .max_life_conns = 2);
    WORKERS(2);
    expect_start(REASON_SUCCESSOR, 1);
    expect_wait(REASON_NOTHING_DUE, USEC_INFINITY);
    pool_worker_ready(&pool, 1, options.max_conns, now);
    expect_retire(REASON_USE, 0);
    expect_served_by(1);
    ck_assert_uint_eq(pool_worker_load(&pool.workers[0]), 2);
}
END_TEST

START_TEST(test_one_that_is_wanted_is_started_once_and_when_there_is_room)
{
    BEGIN(.min_procs = 1, .max_procs = 3, .max_idle_usec = USEC_PER_SEC);
    WORKERS(1, 1, 1);
    pool_want_start(&pool);
    expect_wait(REASON_NOTHING_DUE, USEC_INFINITY);
    pool_connection_ended(&pool, 1, now);
    pool_worker_exited(&pool, 1, now);
    expect_start(REASON_SUCCESSOR, 1);
    pool_worker_ready(&pool, 1, options.max_conns, now);
    expect_wait(REASON_NOTHING_DUE, now + USEC_PER_SEC);
}
END_TEST

START_TEST(test_successor_that_fails_keeps_the_old_one_serving)
{
    BEGIN(.min_procs = 1, .max_procs = 2, .max_life_conns = 2);
    WORKERS(2);
    expect_start(REASON_SUCCESSOR, 1);
    pool_worker_exited(&pool, 1, now);
    expect_wait(REASON_NOTHING_DUE, now + USEC_PER_SEC);
    pool_waiting_begun(&pool);
    expect(DECISION_HAND_OFF, REASON_LAST_RESORT, 0);
}
END_TEST

START_TEST(test_worker_past_max_life_time_drains_with_its_session)
{
    BEGIN(.max_life_usec = 2 * USEC_PER_SEC);
    WORKERS(1, 0);
    expect_wait(REASON_NOTHING_DUE, now + 2 * USEC_PER_SEC);
    now += 2 * USEC_PER_SEC;
    add_worker(2, 0);
    pool_worker_exited(&pool, 1, now);
    expect_retire(REASON_AGE, 0);
}
END_TEST

START_TEST(test_worker_with_a_session_needs_a_successor_even_with_minimum_0)
{
    BEGIN(.max_life_usec = 2 * USEC_PER_SEC);
    WORKERS(1);
    now += 2 * USEC_PER_SEC;
    expect_start(REASON_SUCCESSOR, 1);
    expect_wait(REASON_NOTHING_DUE, USEC_INFINITY);
    pool_worker_ready(&pool, 1, options.max_conns, now);
    expect_retire(REASON_AGE, 0);
}
END_TEST

START_TEST(test_idle_worker_needs_no_successor_with_minimum_0)
{
    BEGIN(.max_life_usec = 2 * USEC_PER_SEC);
    WORKERS(0);
    now += 2 * USEC_PER_SEC;
    expect_retire(REASON_AGE, 0);
    expect_wait(REASON_NOTHING_DUE, now + USEC_PER_SEC);
}
END_TEST

START_TEST(test_retires_only_into_a_free_shutdown_slot)
{
    BEGIN(.min_procs = 1, .max_procs = 3, .max_shutdown = 1, .min_conns = 10,
          .max_life_usec = 2 * USEC_PER_SEC);
    WORKERS(1, 1, 1);
    now += 2 * USEC_PER_SEC;
    expect_retire(REASON_AGE, 0);
    now += 10 * USEC_PER_SEC;
    pool_waiting_begun(&pool);
    expect(DECISION_HAND_OFF, REASON_LAST_RESORT, 1);
    pool_waiting_ended(&pool);
    expect_wait(REASON_NOTHING_DUE, USEC_INFINITY);
    pool_connection_ended(&pool, 0, now);
    pool_worker_exited(&pool, 0, now);
    expect_retire(REASON_AGE, 1);
}
END_TEST

START_TEST(test_one_expiry_a_second)
{
    BEGIN(.min_procs = 1, .max_procs = 3, .min_conns = 10, .max_life_usec = 2 * USEC_PER_SEC);
    WORKERS(1, 1, 1);
    now += 2 * USEC_PER_SEC;
    expect_retire(REASON_AGE, 0);
    expect_wait(REASON_NOTHING_DUE, now + USEC_PER_SEC);
    now += USEC_PER_SEC;
    expect_retire(REASON_AGE, 1);
}
END_TEST

START_TEST(test_without_room_for_a_successor_it_is_replaced_when_idle)
{
    BEGIN(.min_procs = 1, .max_procs = 1, .max_life_usec = 2 * USEC_PER_SEC);
    WORKERS(1);
    now += 2 * USEC_PER_SEC;
    expect_wait(REASON_NOTHING_DUE, USEC_INFINITY);
    pool_waiting_begun(&pool);
    expect(DECISION_HAND_OFF, REASON_LAST_RESORT, 0);
    pool_waiting_ended(&pool);
    pool_connection_ended(&pool, 0, now);
    expect_retire(REASON_AGE, 0);
    expect_wait(REASON_NOTHING_DUE, now + USEC_PER_SEC);
    pool_worker_exited(&pool, 0, now);
    expect_start(REASON_MINIMUM, 0);
}
END_TEST

START_TEST(test_max_life_conns_1_in_a_pool_of_one)
{
    BEGIN(.min_procs = 1, .max_procs = 1, .max_shutdown = 1, .max_life_conns = 1, .min_conns = 1,
          .max_conns = 1);
    WORKERS(1);
    expect_accept(ACCEPT_NO_PLACE);
    expect_wait(REASON_NOTHING_DUE, USEC_INFINITY);
    pool_connection_ended(&pool, 0, now);
    expect_retire(REASON_USE, 0);
    pool_worker_exited(&pool, 0, now);
    expect_start(REASON_MINIMUM, 0);
    expect_accept(ACCEPT_YES);
}
END_TEST

START_TEST(test_idle_ones_go_first_then_the_oldest)
{
    BEGIN(.max_shutdown = 5, .min_conns = 10, .max_life_usec = 2 * USEC_PER_SEC);
    WORKERS(1, 1, 0, 1);
    now += 2 * USEC_PER_SEC;
    add_worker(4, 0);
    expect_retire(REASON_AGE, 2);
    now += USEC_PER_SEC;
    expect_retire(REASON_AGE, 0);
    now += USEC_PER_SEC;
    expect_retire(REASON_AGE, 4);
    now += USEC_PER_SEC;
    expect_retire(REASON_AGE, 1);
}
END_TEST

START_TEST(test_used_up_counts_before_the_acknowledgement)
{
    BEGIN(.max_life_conns = 2, .min_procs = 1);
    WORKERS(1, 0);
    pool_handoff_begun(&pool, 0);
    expect_retire(REASON_USE, 0);
}
END_TEST

START_TEST(test_surplus_after_a_reload_drains_max_shutdown_at_a_time)
{
    BEGIN(.max_procs = 4, .max_shutdown = 1);
    WORKERS(1, 1, 1, 1);
    options.max_procs = 2;
    expect_retire(REASON_SURPLUS, 0);
    expect_wait(REASON_NOTHING_DUE, USEC_INFINITY);
    pool_connection_ended(&pool, 0, now);
    pool_worker_exited(&pool, 0, now);
    expect_retire(REASON_SURPLUS, 1);
    pool_connection_ended(&pool, 1, now);
    pool_worker_exited(&pool, 1, now);
    expect_wait(REASON_NOTHING_DUE, USEC_INFINITY);
}
END_TEST

START_TEST(test_surplus_counts_ready_workers_alone)
{
    BEGIN(.max_procs = 2, .min_procs = 1);
    WORKERS(3);
    expect_start(REASON_ALL_BUSY, 1);
    options.max_procs = 1;
    expect_wait(REASON_NOTHING_DUE, USEC_INFINITY);
    pool_worker_ready(&pool, 1, options.max_conns, now);
    expect_retire(REASON_SURPLUS, 1);
    expect_served_by(0);
}
END_TEST

START_TEST(test_nothing_starts_while_there_are_too_many)
{
    BEGIN(.max_procs = 4, .min_procs = 1, .max_shutdown = 1, .min_conns = 1);
    WORKERS(1, 1, 1);
    options.max_procs = 1;
    expect_retire(REASON_SURPLUS, 0);
    pool_worker_draining(&pool, 1, now);
    pool_worker_draining(&pool, 2, now);
    expect_wait(REASON_NOTHING_DUE, USEC_INFINITY);
}
END_TEST

START_TEST(test_stopping_drains_all_at_once_and_starts_none)
{
    BEGIN(.min_procs = 2, .max_shutdown = 1);
    WORKERS(3, 0, 3);
    pool.is_stopping = true;
    expect_accept(ACCEPT_STOPPING);
    expect_retire(REASON_STOPPING, 0); /* sessions have a time limit from now on */
    expect_retire(REASON_STOPPING, 2);
    expect_retire(REASON_STOPPING, 1);
    expect_wait(REASON_NOTHING_DUE, USEC_INFINITY);
}
END_TEST

/* A thousand at a time would leave systemd no time for anything else. */
START_TEST(test_large_pools_start_by_and_by)
{
    const unsigned n = 2 * POLICY_STARTING_MAX + 1;

    BEGIN(.min_procs = n, .max_procs = n);
    for (unsigned i = 0; i < POLICY_STARTING_MAX; i++)
        expect_start(REASON_MINIMUM, i);
    expect_wait(REASON_NOTHING_DUE, USEC_INFINITY);
    pool_worker_ready(&pool, 7, options.max_conns, now);
    expect_start(REASON_MINIMUM, POLICY_STARTING_MAX);
    expect_wait(REASON_NOTHING_DUE, USEC_INFINITY);
    /* One that serves is enough to accept for. */
    expect_accept(ACCEPT_YES);
}
END_TEST

START_TEST(test_large_pools_stop_by_and_by)
{
    const unsigned n = 2 * POLICY_LEAVING_MAX;

    BEGIN(.min_procs = n, .max_procs = n);
    for (unsigned i = 0; i < n; i++)
        add_worker(i, i % 2); /* every other one has a session */
    pool_stop(&pool);
    for (unsigned i = 1; i < n; i += 2)
        expect_retire(REASON_STOPPING, i);
    for (unsigned i = 0; i < n; i += 2)
        expect_retire(REASON_STOPPING, i);
    expect_wait(REASON_NOTHING_DUE, USEC_INFINITY);

    BEGIN(.min_procs = n, .max_procs = n);
    for (unsigned i = 0; i < n; i++)
        add_worker(i, i == n - 1);
    pool_stop(&pool);
    expect_retire(REASON_STOPPING, n - 1);
    for (unsigned i = 0; i < POLICY_LEAVING_MAX; i++)
        expect_retire(REASON_STOPPING, i);
    expect_wait(REASON_NOTHING_DUE, USEC_INFINITY);
    pool_connection_ended(&pool, n - 1, now);
    pool_worker_exited(&pool, 0, now);
    expect_wait(REASON_NOTHING_DUE, USEC_INFINITY);
    pool_worker_exited(&pool, n - 1, now);
    expect_retire(REASON_STOPPING, POLICY_LEAVING_MAX);
    expect_wait(REASON_NOTHING_DUE, USEC_INFINITY);
}
END_TEST

START_TEST(test_stopping_serves_first_what_was_accepted)
{
    BEGIN(.max_handoffs = 1, .min_procs = 1);
    WORKERS(0);
    pool_handoff_begun(&pool, 0);
    pool_waiting_begun(&pool);
    pool.is_stopping = true;
    expect_wait(REASON_HANDOFFS_FULL, USEC_INFINITY);
    pool_handoff_acknowledged(&pool, 0);
    expect(DECISION_HAND_OFF, REASON_LEAST_BUSY, 0);
}
END_TEST

/* Otherwise the last worker would go while all that waits is on offer to it, and one be started for
 * what it puts off, again and again. */
START_TEST(test_stopping_keeps_the_worker_that_puts_off)
{
    BEGIN(.min_procs = 1);
    WORKERS(0);
    pool_worker_puts_off(&pool, 0);
    pool_worker_blocked(&pool, 0, false);
    pool_handoff_begun(&pool, 0);
    pool.is_stopping = true;
    expect_wait(REASON_NOTHING_DUE, USEC_INFINITY);
    pool_handoff_acknowledged(&pool, 0);
    expect_retire(REASON_STOPPING, 0);
}
END_TEST

START_TEST(test_stopping_keeps_the_workers_until_the_checks_are_over)
{
    BEGIN(.min_procs = 1);
    WORKERS(0);
    pool_checking_begun(&pool);
    pool.is_stopping = true;
    expect_wait(REASON_NOTHING_DUE, USEC_INFINITY);
    pool_checking_ended(&pool);
    pool_waiting_begun(&pool);
    expect(DECISION_HAND_OFF, REASON_LEAST_BUSY, 0);
    pool_waiting_ended(&pool);
    expect_retire(REASON_STOPPING, 0);
}
END_TEST

START_TEST(test_stopping_starts_one_for_what_a_dead_worker_left)
{
    BEGIN(.min_procs = 2);
    WORKERS(0);
    pool.is_stopping = true;
    pool_waiting_begun(&pool);
    pool_worker_exited(&pool, 0, now);
    now += USEC_PER_SEC;
    expect_start(REASON_DEMAND, 0);
    expect_wait(REASON_NO_PLACE, USEC_INFINITY);
    pool_worker_ready(&pool, 0, options.max_conns, now);
    expect(DECISION_HAND_OFF, REASON_LEAST_BUSY, 0);
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("policy_life");

    ADD_TESTS(suite, "idle", test_idle_workers_go_down_to_the_minimum,
              test_the_minimum_stays_however_idle,
              test_last_idle_worker_goes_where_the_minimum_is_0,
              test_idle_worker_stays_where_it_would_be_started_again,
              test_steady_load_keeps_the_idle_worker_it_needs,
              test_idle_worker_goes_at_once_where_others_have_more_to_spare,
              test_idle_worker_stays_in_the_place_of_one_that_is_due_or_blocked,
              test_worker_with_a_session_is_not_idle, test_idle_worker_waits_for_a_shutdown_slot);
    ADD_TESTS(suite, "expiry", test_used_up_worker_drains_after_its_successor_is_ready,
              test_one_that_is_wanted_is_started_once_and_when_there_is_room,
              test_successor_that_fails_keeps_the_old_one_serving,
              test_worker_past_max_life_time_drains_with_its_session,
              test_worker_with_a_session_needs_a_successor_even_with_minimum_0,
              test_idle_worker_needs_no_successor_with_minimum_0,
              test_retires_only_into_a_free_shutdown_slot, test_one_expiry_a_second,
              test_without_room_for_a_successor_it_is_replaced_when_idle,
              test_max_life_conns_1_in_a_pool_of_one, test_idle_ones_go_first_then_the_oldest,
              test_used_up_counts_before_the_acknowledgement);
    ADD_TESTS(suite, "reload and stop", test_surplus_after_a_reload_drains_max_shutdown_at_a_time,
              test_surplus_counts_ready_workers_alone, test_nothing_starts_while_there_are_too_many,
              test_stopping_drains_all_at_once_and_starts_none, test_large_pools_start_by_and_by,
              test_large_pools_stop_by_and_by, test_stopping_serves_first_what_was_accepted,
              test_stopping_keeps_the_worker_that_puts_off,
              test_stopping_keeps_the_workers_until_the_checks_are_over,
              test_stopping_starts_one_for_what_a_dead_worker_left);
    return suite;
}
