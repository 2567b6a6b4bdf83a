/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "statistics/level.h"
#include "support/random.h"
#include "support/suite.h"

#include "base/time.h"

#define START (1000 * USEC_PER_SEC)

/* Averages are told with far fewer digits. */
#define TOLERANCE 1e-6

static struct level level;

START_TEST(test_all_is_zero_before_the_first_rise)
{
    level_start(&level, START);
    level_set(&level, 0, START + USEC_PER_SEC);
    struct level_summary summary = level_summary(&level, START + 5 * USEC_PER_SEC);
    ck_assert_uint_eq(summary.min, 0);
    ck_assert_uint_eq(summary.max, 0);
    ck_assert_double_eq(summary.average, 0);
}
END_TEST

START_TEST(test_minimum_counts_from_the_first_rise)
{
    level_start(&level, START);
    level_set(&level, 2, START);
    level_set(&level, 3, START);
    ck_assert_uint_eq(level_summary(&level, START).min, 2);
    level_set(&level, 1, START);
    level_set(&level, 2, START);
    ck_assert_uint_eq(level_summary(&level, START).min, 1);
    ck_assert_uint_eq(level_summary(&level, START).max, 3);
    level_set(&level, 0, START);
    ck_assert_uint_eq(level_summary(&level, START).min, 0);
}
END_TEST

START_TEST(test_average_is_weighted_by_time)
{
    level_start(&level, START);
    level_set(&level, 4, START + 1 * USEC_PER_SEC);
    level_set(&level, 2, START + 2 * USEC_PER_SEC);
    /* 0 for one second, 4 for one, 2 for two. */
    ck_assert_double_eq_tol(level_summary(&level, START + 4 * USEC_PER_SEC).average, 2, TOLERANCE);
}
END_TEST

START_TEST(test_a_full_service_does_not_overflow_in_a_century)
{
    const uint64_t century = UINT64_C(100) * 365 * 86400 * USEC_PER_SEC;

    level_start(&level, 0);
    level_set(&level, 64 * 1024 * 1024, 0);
    ck_assert_double_eq_tol(level_summary(&level, century).average, 64.0 * 1024 * 1024, 1e-3);
}
END_TEST

START_TEST(test_a_clock_that_stands_is_no_division_by_zero)
{
    level_start(&level, START);
    level_set(&level, 5, START);
    ck_assert_double_eq(level_summary(&level, START).average, 0);
}
END_TEST

static void resume_from(uint32_t value)
{
    level_start(&level, START);
    level_set(&level, value, START);
    level_resume(&level, START + USEC_PER_SEC);
}

START_TEST(test_successor_that_counts_up_to_the_same_lowers_nothing)
{
    resume_from(3);
    for (uint32_t n = 1; n <= 3; n++)
        level_set(&level, n, START + USEC_PER_SEC + n);
    struct level_summary summary = level_summary(&level, START + 9 * USEC_PER_SEC);
    ck_assert_uint_eq(summary.min, 3);
    ck_assert_double_eq_tol(summary.average, 3, TOLERANCE);
    level_set(&level, 2, START + 9 * USEC_PER_SEC);
    ck_assert_uint_eq(level_summary(&level, START + 9 * USEC_PER_SEC).min, 2);
}
END_TEST

START_TEST(test_successor_that_found_fewer_counts_them_after_a_while)
{
    const uint64_t until = START + USEC_PER_SEC + LEVEL_RESUME_USEC;

    resume_from(3);
    level_set(&level, 1, START + 2 * USEC_PER_SEC);
    level_set(&level, 2, START + 3 * USEC_PER_SEC);
    ck_assert_uint_eq(level_summary(&level, until - 1).min, 3);
    ck_assert_uint_eq(level_summary(&level, until).min, 2);
    /* 3 for eleven seconds, 2 for eleven, whether somebody looks in between or not. */
    ck_assert_double_eq_tol(level_summary(&level, until + 11 * USEC_PER_SEC).average, 2.5,
                            TOLERANCE);
    level_set(&level, 7, until + 11 * USEC_PER_SEC);
    ck_assert_double_eq_tol(level_summary(&level, until + 11 * USEC_PER_SEC).average, 2.5,
                            TOLERANCE);
}
END_TEST

START_TEST(test_successor_that_finds_nothing_falls_to_zero)
{
    resume_from(3);
    ck_assert_uint_eq(level_summary(&level, START + USEC_PER_SEC + LEVEL_RESUME_USEC).min, 0);
}
END_TEST

/* Against the plain sum of rectangles, in time that goes by as it likes. */
START_TEST(test_agrees_with_the_sum_over_time)
{
    struct random_source source = random_start();

    for (unsigned round = 0; round < 200; round++) {
        uint64_t now = START;
        uint32_t value = 0, min = 0, max = 0;
        double area = 0;

        level_start(&level, now);
        for (unsigned i = 0; i < 500; i++) {
            uint64_t span =
                random_between(&source, 0, random_between(&source, 0, 1) ? 50 : 1u << 30);
            area += (double)value * (double)span;
            now += span;
            uint32_t next = (uint32_t)random_between(&source, 0, 300);
            if (next > 0 && max == 0)
                min = next;
            if (max > 0 && next < min)
                min = next;
            if (next > max)
                max = next;
            value = next;
            level_set(&level, value, now);
            struct level_summary summary = level_summary(&level, now);
            ck_assert_uint_eq(summary.min, min);
            ck_assert_uint_eq(summary.max, max);
            if (now > START)
                ck_assert_double_eq_tol(summary.average, area / (double)(now - START), TOLERANCE);
            ck_assert(summary.average >= 0 && summary.average <= max);
        }
    }
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("level");

    ADD_TESTS(suite, "counting", test_all_is_zero_before_the_first_rise,
              test_minimum_counts_from_the_first_rise, test_average_is_weighted_by_time,
              test_a_full_service_does_not_overflow_in_a_century,
              test_a_clock_that_stands_is_no_division_by_zero);
    ADD_TESTS(suite, "successor", test_successor_that_counts_up_to_the_same_lowers_nothing,
              test_successor_that_found_fewer_counts_them_after_a_while,
              test_successor_that_finds_nothing_falls_to_zero);
    ADD_TESTS(suite, "properties", test_agrees_with_the_sum_over_time);
    return suite;
}
