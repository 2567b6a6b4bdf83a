/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The rules of dispatcherd(8) for a pool, one scene each. */
#include "pool/policy_scene.h"

/* Who gets a connection. */

START_TEST(test_least_busy_worker_is_chosen)
{
    BEGIN();
    WORKERS(2, 1);
    expect_served_by(1);
}
END_TEST

START_TEST(test_fewer_in_its_life_decides_between_equals)
{
    BEGIN(.min_conns = 10);
    WORKERS(3, 2);
    pool_connection_ended(&pool, 0, now);
    expect_served_by(1);
}
END_TEST

START_TEST(test_oldest_decides_between_equal_lives)
{
    BEGIN();
    add_worker(1, 2);
    add_worker(0, 2);
    expect_served_by(1);
}
END_TEST

START_TEST(test_handoff_under_way_counts_as_connection)
{
    BEGIN();
    WORKERS(1, 0);
    pool_handoff_begun(&pool, 1);
    pool_handoff_begun(&pool, 1);
    expect_served_by(0);
}
END_TEST

START_TEST(test_one_that_is_due_is_the_last_resort)
{
    BEGIN(.max_life_conns = 1, .max_shutdown = 1, .max_conns = 1, .min_conns = 1, .max_procs = 3);
    WORKERS(1, 1, 0);
    pool_worker_draining(&pool, 0, now);
    pool_connection_ended(&pool, 1, now);
    expect_served_by(2);
    pool_waiting_begun(&pool);
    expect(DECISION_HAND_OFF, REASON_LAST_RESORT, 1);
}
END_TEST

START_TEST(test_draining_starting_and_blocked_workers_get_nothing)
{
    BEGIN(.max_procs = 3);
    WORKERS(0, 0);
    pool_worker_started(&pool, 2, now);
    pool_worker_draining(&pool, 0, now);
    pool_worker_blocked(&pool, 1, true);
    pool_waiting_begun(&pool);
    expect_wait(REASON_NO_PLACE, USEC_INFINITY);
    pool_worker_blocked(&pool, 1, false);
    expect(DECISION_HAND_OFF, REASON_LEAST_BUSY, 1);
}
END_TEST

START_TEST(test_even_loads_come_from_an_even_start)
{
    BEGIN(.max_procs = 3, .max_handoffs = 10);
    WORKERS(0, 0, 0);
    for (unsigned i = 0; i < 30; i++)
        expect_served_by(i % 3);
    expect_accept(ACCEPT_NO_PLACE);
}
END_TEST

/* Who is started. */

START_TEST(test_minimum_is_started_before_any_connection)
{
    BEGIN(.min_procs = 2);
    expect_start(REASON_MINIMUM, 0);
    expect_start(REASON_MINIMUM, 1);
    expect_wait(REASON_NOTHING_DUE, USEC_INFINITY);
}
END_TEST

START_TEST(test_first_connection_starts_the_first_worker)
{
    BEGIN();
    expect_wait(REASON_NOTHING_DUE, USEC_INFINITY);
    expect_accept(ACCEPT_YES);
    pool_waiting_begun(&pool);
    expect_start(REASON_DEMAND, 0);
    expect_wait(REASON_NO_PLACE, USEC_INFINITY);
    pool_worker_ready(&pool, 0, options.max_conns, now);
    expect(DECISION_HAND_OFF, REASON_LEAST_BUSY, 0);
}
END_TEST

START_TEST(test_start_follows_the_connection_that_makes_all_busy)
{
    BEGIN();
    WORKERS(2);
    expect_wait(REASON_NOTHING_DUE, USEC_INFINITY);
    expect_served_by(0);
    expect_start(REASON_ALL_BUSY, 1);
    expect_wait(REASON_NOTHING_DUE, USEC_INFINITY);
}
END_TEST

START_TEST(test_one_worker_below_min_conns_is_enough)
{
    BEGIN();
    WORKERS(3, 2);
    expect_wait(REASON_NOTHING_DUE, USEC_INFINITY);
    expect_served_by(1);
    expect_start(REASON_ALL_BUSY, 2);
}
END_TEST

START_TEST(test_at_max_procs_workers_fill_up_to_max_conns)
{
    BEGIN(.max_procs = 2);
    WORKERS(3, 3);
    expect_wait(REASON_NOTHING_DUE, USEC_INFINITY);
    for (unsigned i = 0; i < 14; i++)
        expect_served_by(i % 2);
    expect_accept(ACCEPT_NO_PLACE);
}
END_TEST

START_TEST(test_next_client_is_served_when_a_place_comes_free)
{
    BEGIN(.max_procs = 2, .min_conns = 2, .max_conns = 2);
    WORKERS(2, 2);
    expect_accept(ACCEPT_NO_PLACE);
    expect_wait(REASON_NOTHING_DUE, USEC_INFINITY);
    pool_connection_ended(&pool, 1, now);
    expect_served_by(1);
}
END_TEST

START_TEST(test_starting_workers_count_for_max_procs)
{
    unsigned n_started = 0;

    BEGIN(.max_procs = 3, .min_procs = 3);
    for (unsigned i = 0; i < 1000; i++) {
        pool_waiting_begun(&pool);
        if (ask().kind == DECISION_START)
            pool_worker_started(&pool, n_started++, now);
    }
    ck_assert_uint_eq(n_started, 3);
}
END_TEST

START_TEST(test_each_connection_has_its_own_worker_with_max_conns_1)
{
    BEGIN(.min_conns = 1, .max_conns = 1);
    for (unsigned i = 0; i < 5; i++) {
        pool_waiting_begun(&pool);
        if (i == 0)
            expect_start(REASON_DEMAND, 0);
        pool_worker_ready(&pool, i, 1, now);
        expect(DECISION_HAND_OFF, REASON_LEAST_BUSY, i);
        pool_waiting_ended(&pool);
        pool_handoff_begun(&pool, i);
        pool_handoff_acknowledged(&pool, i);
        if (i < 4)
            expect_start(REASON_ALL_BUSY, i + 1);
    }
    expect_accept(ACCEPT_NO_PLACE);
}
END_TEST

START_TEST(test_proactive_start_is_one_at_a_time)
{
    BEGIN();
    WORKERS(10);
    expect_start(REASON_ALL_BUSY, 1);
    pool_waiting_begun(&pool);
    expect_wait(REASON_NO_PLACE, USEC_INFINITY);
}
END_TEST

START_TEST(test_worker_with_few_threads_is_busy_enough_when_full)
{
    BEGIN(.min_conns = 8);
    pool_worker_started(&pool, 0, now);
    pool_worker_ready(&pool, 0, 2, now);
    expect_served_by(0);
    expect_wait(REASON_NOTHING_DUE, USEC_INFINITY);
    expect_served_by(0);
    expect_start(REASON_ALL_BUSY, 1);
}
END_TEST

START_TEST(test_connection_that_only_blocked_workers_could_take_starts_one)
{
    BEGIN();
    WORKERS(1, 0);
    pool_worker_blocked(&pool, 0, true);
    pool_worker_blocked(&pool, 1, true);
    expect_wait(REASON_NOTHING_DUE, USEC_INFINITY);
    expect_accept(ACCEPT_YES);
    pool_waiting_begun(&pool);
    expect_start(REASON_DEMAND, 2);
    expect_wait(REASON_NO_PLACE, USEC_INFINITY);
}
END_TEST

START_TEST(test_dead_worker_is_replaced_at_once_up_to_the_minimum)
{
    BEGIN(.min_procs = 1);
    WORKERS(1);
    pool_connection_ended(&pool, 0, now);
    pool_worker_exited(&pool, 0, now);
    expect_start(REASON_MINIMUM, 0);
}
END_TEST

START_TEST(test_connection_of_a_dead_worker_goes_to_another)
{
    BEGIN();
    WORKERS(0, 1);
    pool_waiting_begun(&pool);
    expect(DECISION_HAND_OFF, REASON_LEAST_BUSY, 0);
    pool_waiting_ended(&pool);
    pool_handoff_begun(&pool, 0);
    pool_handoff_returned(&pool, 0, now);
    pool_waiting_begun(&pool);
    pool_worker_exited(&pool, 0, now);
    expect(DECISION_HAND_OFF, REASON_LEAST_BUSY, 1);
}
END_TEST

START_TEST(test_failed_start_is_repeated_after_a_delay)
{
    BEGIN(.min_procs = 1);
    for (unsigned sec = 1; sec <= 4; sec *= 2) {
        expect_start(REASON_MINIMUM, 0);
        pool_worker_exited(&pool, 0, now);
        expect_wait(REASON_NOTHING_DUE, now + sec * USEC_PER_SEC);
        expect_accept(ACCEPT_NO_PLACE);
        now += sec * USEC_PER_SEC - 1;
        expect_wait(REASON_NOTHING_DUE, now + 1);
        now += 1;
    }
}
END_TEST

START_TEST(test_after_a_failed_start_one_connection_is_accepted_to_retry)
{
    BEGIN();
    pool_start_failed(&pool, now);
    pool_waiting_begun(&pool);
    expect_wait(REASON_START_DELAYED, now + USEC_PER_SEC);
    pool_waiting_ended(&pool);
    now += USEC_PER_SEC;
    expect_accept(ACCEPT_YES);
    pool_waiting_begun(&pool);
    expect_accept(ACCEPT_NO_PLACE);
    expect_start(REASON_DEMAND, 0);
    expect_accept(ACCEPT_NO_PLACE);
    pool_worker_ready(&pool, 0, options.max_conns, now);
    expect_accept(ACCEPT_YES);
}
END_TEST

/* What is accepted. */

START_TEST(test_nothing_is_accepted_while_handoffs_are_full)
{
    BEGIN(.max_handoffs = 1);
    WORKERS(0, 0);
    pool_handoff_begun(&pool, 0);
    expect_accept(ACCEPT_HANDOFFS_FULL);
    pool_waiting_begun(&pool);
    expect_wait(REASON_HANDOFFS_FULL, USEC_INFINITY);
    pool_handoff_acknowledged(&pool, 0);
    expect(DECISION_HAND_OFF, REASON_LEAST_BUSY, 1);
}
END_TEST

START_TEST(test_waiting_connections_take_the_free_places)
{
    BEGIN(.max_procs = 1, .max_conns = 3);
    WORKERS(1);
    pool_waiting_begun(&pool);
    expect_accept(ACCEPT_YES);
    pool_waiting_begun(&pool);
    expect_accept(ACCEPT_NO_PLACE);
}
END_TEST

START_TEST(test_places_of_a_worker_that_can_be_started_count_as_free)
{
    BEGIN(.max_conns = 2);
    for (unsigned i = 0; i < 2; i++) {
        expect_accept(ACCEPT_YES);
        pool_waiting_begun(&pool);
    }
    expect_accept(ACCEPT_NO_PLACE);
    expect_start(REASON_DEMAND, 0);
    expect_accept(ACCEPT_NO_PLACE);
}
END_TEST

START_TEST(test_checks_are_limited_and_hold_no_place)
{
    BEGIN(.max_procs = 1, .max_conns = 3);
    WORKERS(1);
    for (unsigned i = 0; i < POLICY_CHECKING_MAX; i++) {
        expect_accept(ACCEPT_YES);
        pool_checking_begun(&pool);
    }
    expect_accept(ACCEPT_CHECKS_FULL);
    pool_checking_ended(&pool);
    expect_accept(ACCEPT_YES);
}
END_TEST

START_TEST(test_every_reason_and_verdict_has_a_text)
{
    for (int reason = REASON_NONE; reason <= REASON_START_DELAYED; reason++)
        ck_assert_ptr_nonnull(decision_reason_to_string((enum decision_reason)reason));
    for (int verdict = ACCEPT_YES; verdict <= ACCEPT_STOPPING; verdict++)
        ck_assert_ptr_nonnull(accept_verdict_to_string((enum accept_verdict)verdict));
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("policy");

    ADD_TESTS(suite, "choice", test_least_busy_worker_is_chosen,
              test_fewer_in_its_life_decides_between_equals,
              test_oldest_decides_between_equal_lives, test_handoff_under_way_counts_as_connection,
              test_one_that_is_due_is_the_last_resort,
              test_draining_starting_and_blocked_workers_get_nothing,
              test_even_loads_come_from_an_even_start);
    ADD_TESTS(suite, "start", test_minimum_is_started_before_any_connection,
              test_first_connection_starts_the_first_worker,
              test_start_follows_the_connection_that_makes_all_busy,
              test_one_worker_below_min_conns_is_enough,
              test_at_max_procs_workers_fill_up_to_max_conns,
              test_next_client_is_served_when_a_place_comes_free,
              test_starting_workers_count_for_max_procs,
              test_each_connection_has_its_own_worker_with_max_conns_1,
              test_proactive_start_is_one_at_a_time,
              test_worker_with_few_threads_is_busy_enough_when_full,
              test_connection_that_only_blocked_workers_could_take_starts_one,
              test_dead_worker_is_replaced_at_once_up_to_the_minimum,
              test_connection_of_a_dead_worker_goes_to_another,
              test_failed_start_is_repeated_after_a_delay,
              test_after_a_failed_start_one_connection_is_accepted_to_retry);
    ADD_TESTS(suite, "accept", test_nothing_is_accepted_while_handoffs_are_full,
              test_waiting_connections_take_the_free_places,
              test_places_of_a_worker_that_can_be_started_count_as_free,
              test_checks_are_limited_and_hold_no_place, test_every_reason_and_verdict_has_a_text);
    return suite;
}
