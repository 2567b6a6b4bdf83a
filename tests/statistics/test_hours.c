/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "statistics/hours.h"
#include "support/random.h"
#include "support/suite.h"

#include "base/time.h"

#include <string.h>

#define START (1234 * USEC_PER_SEC)
#define HOUR  (3600 * USEC_PER_SEC)

static struct hours hours;

static void count(uint64_t now, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        hours_count(&hours, now);
}

START_TEST(test_before_the_first_full_hour_the_running_count_is_all)
{
    hours_start(&hours, START);
    count(START + 5, 7);
    struct hours_summary summary = hours_summary(&hours, START + HOUR - 1);
    ck_assert_uint_eq(summary.n_completed, 0);
    ck_assert_uint_eq(summary.n_running, 7);
    ck_assert_double_eq(summary.average, 7);
}
END_TEST

START_TEST(test_hours_begin_with_the_counting)
{
    hours_start(&hours, START);
    count(START + HOUR - 1, 3);
    count(START + HOUR, 1);
    struct hours_summary summary = hours_summary(&hours, START + HOUR);
    ck_assert_uint_eq(summary.n_completed, 1);
    ck_assert_uint_eq(summary.min, 3);
    ck_assert_uint_eq(summary.max, 3);
    ck_assert_uint_eq(summary.n_running, 1);
}
END_TEST

START_TEST(test_hours_without_events_count)
{
    hours_start(&hours, START);
    count(START, 6);
    count(START + 3 * HOUR, 1);
    struct hours_summary summary = hours_summary(&hours, START + 3 * HOUR);
    ck_assert_uint_eq(summary.n_completed, 3);
    ck_assert_uint_eq(summary.min, 0);
    ck_assert_uint_eq(summary.max, 6);
    ck_assert_double_eq_tol(summary.average, 7.0 / 3, 1e-9);
}
END_TEST

START_TEST(test_looking_completes_hours_and_changes_nothing)
{
    hours_start(&hours, START);
    count(START, 4);
    struct hours before = hours;
    ck_assert_uint_eq(hours_summary(&hours, START + 2 * HOUR).n_completed, 2);
    ck_assert_uint_eq(hours_summary(&hours, START + 2 * HOUR).min, 0);
    ck_assert_mem_eq(&hours, &before, sizeof(hours));
}
END_TEST

#define HOURS_MAX 400

/* Against an array with one number for each hour. */
START_TEST(test_agrees_with_one_count_for_each_hour)
{
    struct random_source source = random_start();

    for (unsigned round = 0; round < 300; round++) {
        uint64_t counts[HOURS_MAX + 1] = {0}, n_total = 0, now = START;

        hours_start(&hours, START);
        for (;;) {
            now += random_between(&source, 0, random_between(&source, 0, 1) ? HOUR / 20 : 3 * HOUR);
            uint64_t hour = (now - START) / HOUR, min = UINT64_MAX, max = 0;
            if (hour >= HOURS_MAX)
                break;
            hours_count(&hours, now);
            counts[hour]++;
            n_total++;
            for (uint64_t i = 0; i < hour; i++) {
                min = counts[i] < min ? counts[i] : min;
                max = counts[i] > max ? counts[i] : max;
            }
            struct hours_summary summary = hours_summary(&hours, now);
            ck_assert_uint_eq(summary.n_completed, hour);
            ck_assert_uint_eq(summary.n_running, counts[hour]);
            if (hour == 0)
                continue;
            ck_assert_uint_eq(summary.min, min);
            ck_assert_uint_eq(summary.max, max);
            ck_assert_double_eq_tol(summary.average,
                                    (double)n_total / ((double)(now - START) / (double)HOUR), 1e-9);
        }
    }
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("hours");

    ADD_TESTS(suite, "counting", test_before_the_first_full_hour_the_running_count_is_all,
              test_hours_begin_with_the_counting, test_hours_without_events_count,
              test_looking_completes_hours_and_changes_nothing);
    ADD_TESTS(suite, "properties", test_agrees_with_one_count_for_each_hour);
    return suite;
}
