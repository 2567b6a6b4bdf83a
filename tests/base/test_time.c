/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/suite.h"

#include "base/time.h"

START_TEST(test_a_turn_comes_once_in_an_interval)
{
    uint64_t last_at = 0;

    /* The first one comes at once, also soon after the machine has started. */
    ck_assert(time_take_turn(&last_at, 5, 10));
    ck_assert_uint_eq(last_at, 5);
    ck_assert(!time_take_turn(&last_at, 5, 10));
    ck_assert(!time_take_turn(&last_at, 14, 10));
    ck_assert_uint_eq(last_at, 5);
    ck_assert(time_take_turn(&last_at, 15, 10));
    ck_assert(!time_take_turn(&last_at, 24, 10));
    ck_assert(time_take_turn(&last_at, 1000, 10));
}
END_TEST

START_TEST(test_a_sum_does_not_overflow)
{
    ck_assert_uint_eq(time_add_usec(1, 2), 3);
    ck_assert_uint_eq(time_add_usec(USEC_INFINITY - 1, 1), USEC_INFINITY);
    ck_assert_uint_eq(time_add_usec(USEC_INFINITY - 1, 2), USEC_INFINITY);
    ck_assert_uint_eq(time_add_usec(2, USEC_INFINITY), USEC_INFINITY);
}
END_TEST

SUITE("time", NULL, NULL, test_a_turn_comes_once_in_an_interval, test_a_sum_does_not_overflow)
