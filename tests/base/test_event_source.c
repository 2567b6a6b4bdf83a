/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "base/event_source.h"

#include "base/macro.h"
#include "base/time.h"
#include "support/suite.h"

static sd_event *event;
static sd_event_source *source;
static unsigned n_calls;

static int on_deferred(_unused_ sd_event_source *unused, _unused_ void *userdata)
{
    n_calls++;
    return 0;
}

static void setup(void)
{
    n_calls = 0;
    ck_assert_int_ge(sd_event_new(&event), 0);
    ck_assert_int_ge(sd_event_add_defer(event, &source, on_deferred, NULL), 0);
    event_source_off(source);
}

static void teardown(void)
{
    sd_event_source_disable_unref(source);
    sd_event_unref(event);
}

static void run_due(void)
{
    while (sd_event_run(event, 0) > 0)
        ;
}

START_TEST(test_a_deferred_source_runs_once_each_time_it_is_asked)
{
    run_due();
    ck_assert_uint_eq(n_calls, 0);
    for (unsigned i = 1; i < 4; i++) {
        event_source_defer(source);
        event_source_defer(source);
        run_due();
        ck_assert_uint_eq(n_calls, i);
    }
}
END_TEST

START_TEST(test_a_deferred_source_can_be_turned_off)
{
    event_source_defer(source);
    event_source_off(source);
    run_due();
    ck_assert_uint_eq(n_calls, 0);
}
END_TEST

START_TEST(test_a_loop_ends_with_the_code_that_it_was_given)
{
    ck_assert_int_eq(event_loop_exit_code(event), 0);
    event_loop_exit(event, 3);
    ck_assert_int_eq(sd_event_loop(event), 3);
    ck_assert_int_eq(event_loop_exit_code(event), 3);
    event_loop_exit(event, 4);
    event_source_defer(source);
    event_source_off(source);
    ck_assert_int_eq(event_loop_exit_code(event), 3);
}
END_TEST

START_TEST(test_now_is_when_the_loop_woke_up)
{
    ck_assert_uint_le(event_loop_now(event), time_now_usec(CLOCK_MONOTONIC));
    run_due();
    ck_assert_uint_gt(event_loop_now(event), 0);
    ck_assert_uint_le(event_loop_now(event), time_now_usec(CLOCK_MONOTONIC));
}
END_TEST

SUITE("event_source", setup, teardown, test_a_deferred_source_runs_once_each_time_it_is_asked,
      test_a_deferred_source_can_be_turned_off, test_a_loop_ends_with_the_code_that_it_was_given,
      test_now_is_when_the_loop_woke_up)
