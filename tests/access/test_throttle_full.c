/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "access/throttle_full.h"
#include "base/time.h"
#include "support/random.h"
#include "support/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Any point of the monotonic clock. */
#define START (1000 * USEC_PER_SEC)

static const struct siphash_key secret = {{1, 2}};

static struct throttle *throttle;

static void setup(void)
{
    ck_assert_int_eq(throttle_new(THROTTLE_KEYS_MAX, &secret, &throttle), 0);
}

static void teardown(void)
{
    throttle_free(throttle);
}

static void count(enum throttle_kind kind, const char *host, uint32_t max_rate, unsigned n)
{
    struct address address;

    ck_assert_int_eq(address_parse(host, &address), 0);
    while (n-- > 0)
        throttle_is_over(throttle, kind, &address, max_rate, START);
}

static void expect(const struct throttle_row *row, const char *host, uint32_t own, uint32_t others)
{
    struct address address;
    struct source source;

    ck_assert_int_eq(address_parse(host, &address), 0);
    ck_assert(source_of(&address, &source));
    ck_assert_mem_eq(&row->key.source, &source, sizeof(source));
    ck_assert_uint_eq(row->view.own, own);
    ck_assert_uint_eq(row->view.others, others);
}

START_TEST(test_finds_those_whose_next_connection_is_too_many)
{
    struct throttle_row rows[8];
    size_t n = 77;

    ck_assert_uint_eq(throttle_full(throttle, START, rows, 8, &n), 0);
    ck_assert_uint_eq(n, 0);
    count(THROTTLE_PLAIN, "192.0.2.1", 3, 2);
    count(THROTTLE_PLAIN, "192.0.2.2", 3, 3);
    count(THROTTLE_PENALTY, "192.0.2.3", 3, 9);
    count(THROTTLE_PLAIN, "192.0.2.4", 0, 1);
    ck_assert_uint_eq(throttle_full(throttle, START, rows, 8, &n), 3);
    ck_assert_uint_eq(n, 3);
    expect(&rows[0], "192.0.2.3", 9, 0);
    ck_assert_uint_eq(rows[0].key.kind, THROTTLE_PENALTY);
    expect(&rows[1], "192.0.2.4", 1, 0);
    expect(&rows[2], "192.0.2.2", 3, 0);
}
END_TEST

/* What is carried over is, with its window, what it would be at the next connection. */
START_TEST(test_a_window_that_is_over_counts_no_longer)
{
    struct throttle_row rows[8];
    size_t n;

    count(THROTTLE_PLAIN, "192.0.2.2", 3, 3);
    count(THROTTLE_PLAIN, "192.0.2.4", 0, 1);
    count(THROTTLE_PENALTY, "192.0.2.3", 3, 9);
    ck_assert_uint_eq(throttle_full(throttle, START + THROTTLE_WINDOW_USEC, rows, 8, &n), 1);
    expect(&rows[0], "192.0.2.3", 6, 0);
    ck_assert_uint_eq(rows[0].view.window_at, START + THROTTLE_WINDOW_USEC);
    ck_assert_uint_eq(throttle_full(throttle, START + 3 * THROTTLE_WINDOW_USEC, rows, 8, &n), 0);
}
END_TEST

START_TEST(test_connections_to_other_hosts_count)
{
    const struct throttle_news news = {.others = 5};
    struct throttle_row rows[8];
    size_t n;

    count(THROTTLE_PLAIN, "192.0.2.1", 6, 1);
    ck_assert_uint_eq(throttle_full(throttle, START, rows, 8, &n), 0);
    struct throttle_key key = {.max_rate = 6, .kind = THROTTLE_PLAIN};
    struct address address;
    ck_assert_int_eq(address_parse("192.0.2.1", &address), 0);
    ck_assert(source_of(&address, &key.source));
    ck_assert(throttle_learn(throttle, &key, START, &news, START + 7));
    ck_assert_uint_eq(throttle_full(throttle, START + 9, rows, 8, &n), 1);
    expect(&rows[0], "192.0.2.1", 1, 5);
    ck_assert_uint_eq(rows[0].view.others_at, START + 7);
}
END_TEST

static int64_t above(const struct throttle_row *row)
{
    return (int64_t)row->view.own + row->view.others - row->key.max_rate;
}

static int compare_descending(const void *left, const void *right)
{
    const int64_t *a = left, *b = right;

    return (*a < *b) - (*a > *b);
}

/* Many keys of few and of many counts, and so with equals; of all, those rows are found that a sort
 * of everything has first. */
START_TEST(test_of_many_it_finds_those_that_are_above_by_most)
{
    enum {
        N = 300
    };
    struct random_source random = random_start();
    static const size_t bounds[] = {1, 2, 3, 10, 100, N - 1, N, N + 1};
    static struct throttle_row rows[N + 1];
    int64_t sorted[N];
    size_t n_full = 0, n;

    for (unsigned i = 0; i < N; i++) {
        uint32_t rate = (uint32_t)random_between(&random, 1, 5);
        unsigned n_calls = (unsigned)random_between(&random, 1, i % 3 == 0 ? 40 : 8);
        char host[16];

        snprintf(host, sizeof(host), "192.0.%u.%u", i / 100, i % 100);
        count(THROTTLE_PLAIN, host, rate, n_calls);
        if (n_calls >= rate)
            sorted[n_full++] = (int64_t)n_calls - rate;
    }
    qsort(sorted, n_full, sizeof(*sorted), compare_descending);
    for (size_t i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++) {
        ck_assert_uint_eq(throttle_full(throttle, START, rows, bounds[i], &n), n_full);
        ck_assert_uint_eq(n, bounds[i] < n_full ? bounds[i] : n_full);
        for (size_t k = 0; k < n; k++)
            ck_assert_int_eq(above(&rows[k]), sorted[k]);
        /* Each key once, and of equals the oldest first. */
        for (size_t k = 1; k < n; k++)
            if (sorted[k] == sorted[k - 1])
                ck_assert_uint_gt(rows[k].view.number, rows[k - 1].view.number);
    }
}
END_TEST

SUITE("throttle_full", setup, teardown, test_finds_those_whose_next_connection_is_too_many,
      test_a_window_that_is_over_counts_no_longer, test_connections_to_other_hosts_count,
      test_of_many_it_finds_those_that_are_above_by_most)
