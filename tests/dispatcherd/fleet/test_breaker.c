/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/suite.h"

#include "base/time.h"
#include "dispatcherd/fleet/breaker.h"

START_TEST(test_waits_twice_as_long_each_time_up_to_a_limit)
{
    struct breaker breaker = {0};
    uint64_t expected = USEC_PER_SEC / 5;

    for (unsigned i = 0; i < 20; i++) {
        ck_assert_uint_eq(breaker_fail(&breaker, 0), expected);
        expected = 2 * expected < 30 * USEC_PER_SEC ? 2 * expected : 30 * USEC_PER_SEC;
    }
    ck_assert_uint_eq(breaker_fail(&breaker, UINT32_MAX), 30 * USEC_PER_SEC);
    breaker_succeed(&breaker);
    ck_assert_uint_eq(breaker_fail(&breaker, 0), USEC_PER_SEC / 5);
}
END_TEST

START_TEST(test_hosts_do_not_come_all_at_once)
{
    struct breaker one = {0}, other = {0};

    uint64_t a = breaker_fail(&one, 1), b = breaker_fail(&other, 70000);
    ck_assert_uint_ne(a, b);
    ck_assert_uint_lt(b, USEC_PER_SEC * 3 / 10);
}
END_TEST

SUITE("breaker", NULL, NULL, test_waits_twice_as_long_each_time_up_to_a_limit,
      test_hosts_do_not_come_all_at_once)
