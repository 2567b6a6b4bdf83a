/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/suite.h"

#include "base/log_limit.h"
#include "base/time.h"
#include "support/random.h"

#include <stdio.h>
#include <string.h>

START_TEST(test_a_burst_then_one_each_interval)
{
    struct rate rate = {.burst = 3, .interval_usec = 100};
    uint64_t now = 5000;

    for (int i = 0; i < 3; i++)
        ck_assert(rate_take(&rate, now));
    ck_assert(!rate_take(&rate, now));
    ck_assert(!rate_take(&rate, now + 99));
    ck_assert(rate_take(&rate, now + 100));
    ck_assert(!rate_take(&rate, now + 199));
    /* The burst is there again after as many intervals, and no more than that. */
    for (int i = 0; i < 3; i++)
        ck_assert(rate_take(&rate, now + 1000000));
    ck_assert(!rate_take(&rate, now + 1000000));
}
END_TEST

/* Whenever they come, in no stretch of time are there more than the burst and what the rate gives.
 */
START_TEST(test_never_more_than_the_rate)
{
    enum {
        N = 2000
    };
    struct rate rate = {.burst = 20, .interval_usec = 1000};
    static uint64_t taken[N];
    struct random_source source = random_start();
    uint64_t now = 0;
    size_t n = 0;

    for (int i = 0; i < N; i++) {
        now += random_between(&source, 0, 9) == 0 ? random_between(&source, 0, 50000)
                                                  : random_between(&source, 0, 300);
        if (rate_take(&rate, now))
            taken[n++] = now;
    }
    ck_assert_uint_gt(n, 20);
    for (size_t from = 0; from < n; from++)
        for (size_t to = from; to < n; to++)
            ck_assert_uint_le(to - from + 1, 20 + (taken[to] - taken[from]) / 1000);
}
END_TEST

START_TEST(test_a_tally_names_the_most_frequent_and_counts_the_rest)
{
    struct tally tally = {0};
    char text[TALLY_TEXT_BYTES], name[200];

    for (int i = 0; i < 7; i++)
        for (int k = 0; k <= i; k++) {
            snprintf(name, sizeof(name), "of %d", i);
            tally_add(&tally, name);
        }
    ck_assert_uint_eq(tally.n_all, 28);
    ck_assert_str_eq(tally_format(&tally, text),
                     "7 of 6, 6 of 5, 5 of 4, 4 of 3, 3 of 2 and 3 others");
    tally_clear(&tally);
    tally_add(&tally, "of a");
    ck_assert_str_eq(tally_format(&tally, text), "1 of a");
}
END_TEST

START_TEST(test_a_tally_is_bounded)
{
    struct tally tally = {0};
    char text[TALLY_TEXT_BYTES], name[4 * TALLY_NAME_BYTES];

    for (int i = 0; i < 10 * TALLY_ITEMS_MAX; i++) {
        memset(name, 'x', sizeof(name));
        snprintf(name, 8, "%07d", i);
        name[7] = 'x';
        name[sizeof(name) - 1] = '\0';
        tally_add(&tally, name);
        tally_add(&tally, name);
    }
    ck_assert_uint_eq(tally.n_items, TALLY_ITEMS_MAX);
    ck_assert_uint_eq(tally.n_all, 20 * TALLY_ITEMS_MAX);
    ck_assert_uint_lt(strlen(tally_format(&tally, text)), sizeof(text));
    ck_assert_ptr_nonnull(strstr(text, " and 1270 others"));
}
END_TEST

START_TEST(test_what_is_left_out_is_summed_up_once)
{
    struct log_limit limit = LOG_LIMIT_INIT(2, 1);
    uint64_t now = 7 * USEC_PER_SEC;
    char text[TALLY_TEXT_BYTES + 64];

    ck_assert(log_limit_due_at(&limit) == USEC_INFINITY);
    ck_assert(!log_limit_sum_up(&limit, now, text));
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(log_limit_take(&limit, now, true, "of A"), i < 2);
    ck_assert(!log_limit_take(&limit, now + USEC_PER_SEC - 1, true, "of B"));
    /* As nobody takes the line, what the rate would allow is of no use. */
    ck_assert(!log_limit_take(&limit, now + 5 * USEC_PER_SEC, false, "of B"));
    ck_assert_uint_eq(log_limit_due_at(&limit), now + LOG_LIMIT_SUM_USEC);
    ck_assert(log_limit_sum_up(&limit, now + LOG_LIMIT_SUM_USEC, text));
    ck_assert_str_eq(text, "5 lines left out in 10 s: 3 of A, 2 of B");
    ck_assert(!log_limit_sum_up(&limit, now + LOG_LIMIT_SUM_USEC, text));
    ck_assert(log_limit_due_at(&limit) == USEC_INFINITY);
}
END_TEST

SUITE("log_limit", NULL, NULL, test_a_burst_then_one_each_interval, test_never_more_than_the_rate,
      test_a_tally_names_the_most_frequent_and_counts_the_rest, test_a_tally_is_bounded,
      test_what_is_left_out_is_summed_up_once)
