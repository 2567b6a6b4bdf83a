/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "base/timer.h"

#include "base/macro.h"
#include "base/time.h"
#include "support/suite.h"

#include <stdlib.h>

/* Longer than any of the tests takes. */
#define LATER_USEC (3600 * USEC_PER_SEC)

static sd_event *event;
static struct timer timer;
static unsigned n_rings;

static void on_ring(_unused_ void *userdata)
{
    n_rings++;
}

static void setup(void)
{
    n_rings = 0;
    ck_assert_int_ge(sd_event_new(&event), 0);
    ck_assert_int_eq(timer_init(&timer, event, 1, on_ring, NULL), 0);
}

static void teardown(void)
{
    timer_clear(&timer);
    sd_event_unref(event);
}

/* All that is due now. */
static void run_due(void)
{
    while (sd_event_run(event, 0) > 0)
        ;
}

START_TEST(test_is_silent_until_it_is_set)
{
    ck_assert(!timer_is_set(&timer));
    run_due();
    ck_assert_uint_eq(n_rings, 0);
}
END_TEST

START_TEST(test_rings_once)
{
    timer_set_in(&timer, 1);
    ck_assert(timer_is_set(&timer));
    ck_assert_int_gt(sd_event_run(event, 10 * USEC_PER_SEC), 0);
    ck_assert(!timer_is_set(&timer));
    run_due();
    ck_assert_uint_eq(n_rings, 1);
}
END_TEST

START_TEST(test_rings_at_once_for_a_time_that_is_past)
{
    timer_set_at(&timer, 0);
    run_due();
    ck_assert_uint_eq(n_rings, 1);
}
END_TEST

START_TEST(test_does_not_ring_before_its_time)
{
    timer_set_in(&timer, LATER_USEC);
    run_due();
    ck_assert_uint_eq(n_rings, 0);
    ck_assert(timer_is_set(&timer));
}
END_TEST

START_TEST(test_is_moved_by_being_set_again)
{
    timer_set_at(&timer, 0);
    timer_set_in(&timer, LATER_USEC);
    run_due();
    ck_assert_uint_eq(n_rings, 0);
    timer_set_at(&timer, 0);
    run_due();
    ck_assert_uint_eq(n_rings, 1);
}
END_TEST

START_TEST(test_is_silent_when_stopped)
{
    timer_set_at(&timer, 0);
    timer_stop(&timer);
    ck_assert(!timer_is_set(&timer));
    run_due();
    timer_set_at(&timer, 0);
    timer_set_in(&timer, USEC_INFINITY);
    ck_assert(!timer_is_set(&timer));
    run_due();
    ck_assert_uint_eq(n_rings, 0);
}
END_TEST

START_TEST(test_comes_earlier_but_no_later)
{
    timer_set_no_later(&timer, USEC_INFINITY);
    ck_assert(!timer_is_set(&timer));
    timer_set_no_later(&timer, time_now_usec(CLOCK_MONOTONIC) + LATER_USEC);
    ck_assert(timer_is_set(&timer));
    timer_set_no_later(&timer, 0);
    timer_set_no_later(&timer, time_now_usec(CLOCK_MONOTONIC) + LATER_USEC);
    run_due();
    ck_assert_uint_eq(n_rings, 1);
}
END_TEST

struct owner {
    struct timer timer;
    unsigned n_left;
};

static void ring_again_and_free(void *userdata)
{
    struct owner *owner = userdata;

    n_rings++;
    if (--owner->n_left > 0) {
        timer_set_at(&owner->timer, 0);
        return;
    }
    timer_clear(&owner->timer);
    free(owner);
}

START_TEST(test_may_set_itself_and_free_its_owner)
{
    struct owner *owner = calloc(1, sizeof(*owner));

    ck_assert_ptr_nonnull(owner);
    owner->n_left = 3;
    ck_assert_int_eq(timer_init(&owner->timer, event, 1, ring_again_and_free, owner), 0);
    timer_set_at(&owner->timer, 0);
    run_due();
    ck_assert_uint_eq(n_rings, 3);
}
END_TEST

START_TEST(test_does_nothing_without_having_been_made)
{
    struct timer unmade = {0};

    timer_set_at(&unmade, 0);
    timer_set_in(&unmade, 0);
    timer_set_no_later(&unmade, 0);
    timer_stop(&unmade);
    ck_assert(!timer_is_set(&unmade));
    timer_clear(&unmade);
    timer_clear(&timer);
    timer_clear(&timer);
    timer_set_at(&timer, 0);
    run_due();
    ck_assert_uint_eq(n_rings, 0);
}
END_TEST

START_TEST(test_is_as_before_if_it_cannot_be_made)
{
    struct timer unmade = {0};

    ck_assert_int_lt(timer_init(&unmade, NULL, 1, on_ring, NULL), 0);
    ck_assert_ptr_null(unmade.source);
}
END_TEST

START_TEST(test_can_be_set_when_the_loop_has_ended)
{
    ck_assert_int_ge(sd_event_exit(event, 0), 0);
    ck_assert_int_ge(sd_event_loop(event), 0);
    timer_set_at(&timer, 0);
    timer_stop(&timer);
    ck_assert_uint_eq(n_rings, 0);
}
END_TEST

SUITE("timer", setup, teardown, test_is_silent_until_it_is_set, test_rings_once,
      test_rings_at_once_for_a_time_that_is_past, test_does_not_ring_before_its_time,
      test_is_moved_by_being_set_again, test_is_silent_when_stopped,
      test_comes_earlier_but_no_later, test_may_set_itself_and_free_its_owner,
      test_does_nothing_without_having_been_made, test_is_as_before_if_it_cannot_be_made,
      test_can_be_set_when_the_loop_has_ended)
