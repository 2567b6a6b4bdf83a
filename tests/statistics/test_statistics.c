/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "statistics/statistics.h"
#include "support/random.h"
#include "support/suite.h"

#include "base/time.h"

#include <string.h>

#define START (1000 * USEC_PER_SEC)

static struct statistics statistics;

static void admit(uint64_t now)
{
    statistics_count_accepted(&statistics);
    statistics_count_admitted(&statistics, now);
}

START_TEST(test_three_connections_two_at_once)
{
    const uint64_t s = USEC_PER_SEC;

    statistics_start(&statistics, START);
    for (unsigned i = 0; i < 3; i++) {
        admit(START + i * s);
        statistics_count_taken(&statistics, START + i * s, START + i * s + 1000 * (i + 1));
    }
    statistics_set_concurrent(&statistics, 1, START);
    statistics_set_concurrent(&statistics, 2, START + s);
    statistics_count_ended(&statistics, START, START + 2 * s);
    statistics_set_concurrent(&statistics, 1, START + 2 * s);
    statistics_set_concurrent(&statistics, 2, START + 2 * s);
    statistics_count_ended(&statistics, START + s, START + 4 * s);
    statistics_count_broken(&statistics, START + 2 * s, START + 9 * s);
    ck_assert_uint_eq(level_summary(&statistics.concurrent, START + 9 * s).max, 2);
    ck_assert_uint_eq(statistics.durations.n, 3);
    ck_assert_uint_eq(statistics.durations.min, 2 * s);
    ck_assert_uint_eq(statistics.durations.max, 7 * s);
    ck_assert_uint_eq(span_average(&statistics.durations), 4 * s);
    ck_assert_uint_eq(statistics.waits.min, 1000);
    ck_assert_uint_eq(statistics.waits.max, 3000);
    ck_assert_uint_eq(span_average(&statistics.waits), 2000);
    ck_assert_uint_eq(statistics.n_ended, 2);
    ck_assert_uint_eq(statistics.n_broken, 1);
}
END_TEST

START_TEST(test_what_a_worker_says_of_an_end_counts_besides)
{
    statistics_start(&statistics, START);
    for (int i = 0; i < 3; i++)
        statistics_count_ended(&statistics, START, START + 1);
    statistics_count_failed_session(&statistics);
    statistics_count_sent_away(&statistics);
    ck_assert_uint_eq(statistics.n_ended, 3);
    ck_assert_uint_eq(statistics.n_failed_sessions, 1);
    ck_assert_uint_eq(statistics.n_sent_away, 1);
}
END_TEST

START_TEST(test_rejected_counts_as_rejected_alone)
{
    statistics_start(&statistics, START);
    admit(START);
    statistics_count_accepted(&statistics);
    statistics_count_rejected(&statistics, REJECTED_BY_DNS_LIST);
    ck_assert_uint_eq(statistics_rejected(&statistics), 1);
    ck_assert_uint_eq(statistics.n_rejected[REJECTED_BY_DNS_LIST], 1);
    ck_assert_uint_eq(statistics.n_admitted, 1);
    ck_assert_uint_eq(hours_summary(&statistics.admitted, START).n_running, 1);
    ck_assert_uint_eq(statistics.durations.n, 0);
}
END_TEST

START_TEST(test_every_reason_has_a_name_of_its_own)
{
    for (int i = 0; i < N_STATISTICS_REJECTIONS; i++) {
        ck_assert_ptr_nonnull(statistics_rejection_to_string(i));
        for (int j = 0; j < i; j++)
            ck_assert_str_ne(statistics_rejection_to_string(i), statistics_rejection_to_string(j));
    }
}
END_TEST

START_TEST(test_average_of_nothing_is_zero)
{
    statistics_start(&statistics, START);
    ck_assert_uint_eq(span_average(&statistics.durations), 0);
}
END_TEST

/* The clocks of processors may disagree by a little. */
START_TEST(test_an_end_before_the_beginning_is_no_duration)
{
    statistics_start(&statistics, START);
    statistics_count_ended(&statistics, START + 5, START);
    ck_assert_uint_eq(statistics.durations.max, 0);
}
END_TEST

#define CONNECTIONS_MAX 64

/* Connections come, are rejected, served, broken; the daemon dies and comes back in between. Every
 * connection is counted once. */
START_TEST(test_no_connection_is_lost_or_counted_twice)
{
    struct random_source source = random_start();

    for (unsigned round = 0; round < 100; round++) {
        uint64_t accepted_at[CONNECTIONS_MAX], now = START, n_all = 0, n_rejected = 0;
        uint64_t longest = 0, sum = 0;
        uint32_t n = 0, peak = 0;

        statistics_start(&statistics, START);
        for (unsigned i = 0; i < 2000; i++) {
            now += random_between(&source, 0, USEC_PER_SEC);
            uint64_t what = random_between(&source, 0, 99);
            if (what < 45 && n < CONNECTIONS_MAX) {
                admit(now);
                n_all++;
                accepted_at[n++] = now;
            } else if (what < 55) {
                statistics_count_accepted(&statistics);
                statistics_count_rejected(&statistics,
                                          (enum statistics_rejection)random_between(
                                              &source, 0, N_STATISTICS_REJECTIONS - 1));
                n_all++;
                n_rejected++;
            } else if (what < 98 && n > 0) {
                uint64_t at = accepted_at[--n];
                longest = now - at > longest ? now - at : longest;
                sum += now - at;
                if (what % 2)
                    statistics_count_ended(&statistics, at, now);
                else
                    statistics_count_broken(&statistics, at, now);
            } else if (what == 99) {
                struct statistics copy;
                memcpy(&copy, &statistics, sizeof(copy));
                statistics = copy;
                statistics_resume(&statistics, now);
                for (uint32_t found = 0; found <= n; found++)
                    statistics_set_concurrent(&statistics, found, now);
            }
            peak = n > peak ? n : peak;
            statistics_set_concurrent(&statistics, n, now);
            ck_assert_uint_eq(statistics.n_accepted, n_all);
            ck_assert_uint_eq(statistics_rejected(&statistics), n_rejected);
            ck_assert_uint_eq(statistics.n_admitted, n_all - n_rejected);
            ck_assert_uint_eq(statistics.n_ended + statistics.n_broken + n, statistics.n_admitted);
            ck_assert_uint_eq(statistics.durations.n, statistics.n_ended + statistics.n_broken);
            ck_assert_uint_eq(statistics.durations.max, longest);
            ck_assert_uint_eq(statistics.durations.sum, sum);
            ck_assert_uint_eq(level_summary(&statistics.concurrent, now).max, peak);
        }
    }
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("statistics");

    ADD_TESTS(suite, "counting", test_three_connections_two_at_once,
              test_what_a_worker_says_of_an_end_counts_besides,
              test_rejected_counts_as_rejected_alone, test_every_reason_has_a_name_of_its_own,
              test_average_of_nothing_is_zero, test_an_end_before_the_beginning_is_no_duration);
    ADD_TESTS(suite, "properties", test_no_connection_is_lost_or_counted_twice);
    return suite;
}
