/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "statistics/history.h"
#include "support/random.h"
#include "support/suite.h"

#include "base/time.h"

#include <string.h>

#define START (1000 * USEC_PER_SEC)
#define LIMIT (60 * USEC_PER_SEC)

static struct history history;

static void begin(void)
{
    memset(&history, 0, sizeof(history));
}

static void add(uint64_t id, uint64_t now)
{
    history_add_connection(&history, LIMIT, now)->id = id;
}

static size_t count(uint64_t now)
{
    size_t n = 0;

    while (history_connection(&history, n, LIMIT, now))
        n++;
    return n;
}

START_TEST(test_lists_for_historical_time)
{
    begin();
    add(1, START);
    ck_assert_uint_eq(count(START), 1);
    ck_assert_uint_eq(count(START + LIMIT - 1), 1);
    ck_assert_uint_eq(count(START + LIMIT), 0);
    ck_assert_ptr_null(history_connection(&history, 0, 0, START));
}
END_TEST

START_TEST(test_newest_comes_first)
{
    begin();
    add(1, START);
    add(2, START + 1);
    ck_assert_uint_eq(history_connection(&history, 0, LIMIT, START + 1)->id, 2);
    ck_assert_uint_eq(history_connection(&history, 1, LIMIT, START + 1)->id, 1);
    ck_assert_ptr_null(history_connection(&history, 2, LIMIT, START + 1));
}
END_TEST

START_TEST(test_the_oldest_go_for_lack_of_room_and_are_counted)
{
    const uint64_t n = 100000;

    begin();
    for (uint64_t i = 0; i < n; i++)
        add(i, START + i);
    ck_assert_uint_eq(count(START + n), HISTORY_CONNECTIONS_MAX);
    ck_assert_uint_eq(history.n_dropped_connections, n - HISTORY_CONNECTIONS_MAX);
    ck_assert_uint_eq(history_connection(&history, 0, LIMIT, START + n)->id, n - 1);
    ck_assert_uint_eq(
        history_connection(&history, HISTORY_CONNECTIONS_MAX - 1, LIMIT, START + n)->id,
        n - HISTORY_CONNECTIONS_MAX);
}
END_TEST

START_TEST(test_what_is_over_is_not_dropped)
{
    begin();
    for (uint64_t i = 0; i < 3 * HISTORY_CONNECTIONS_MAX; i++)
        add(i, START + i * LIMIT);
    ck_assert_uint_eq(history.n_dropped_connections, 0);
}
END_TEST

START_TEST(test_workers_have_a_ring_of_their_own)
{
    begin();
    for (uint64_t i = 0; i < HISTORY_WORKERS_MAX + 5; i++)
        history_add_worker(&history, LIMIT, START)->started_at = i;
    ck_assert_uint_eq(history.n_dropped_workers, 5);
    ck_assert_uint_eq(history_worker(&history, 0, LIMIT, START)->started_at,
                      HISTORY_WORKERS_MAX + 4);
    ck_assert_ptr_null(history_worker(&history, HISTORY_WORKERS_MAX, LIMIT, START));
    ck_assert_uint_eq(count(START), 0);
}
END_TEST

START_TEST(test_a_copy_is_the_same_and_clearing_leaves_nothing)
{
    static struct history copy, nothing;

    begin();
    for (uint64_t i = 0; i < 1500; i++)
        add(i, START + i);
    history_add_worker(&history, LIMIT, START)->pid = 7;
    history_copy(&copy, &history);
    ck_assert_mem_eq(&copy, &history, sizeof(copy));
    history_clear(&copy);
    ck_assert_mem_eq(&copy, &nothing, sizeof(copy));
}
END_TEST

START_TEST(test_any_bytes_can_be_read)
{
    struct random_source source = random_start();

    for (unsigned round = 0; round < 50; round++) {
        for (size_t i = 0; i + 8 <= sizeof(history); i += 8) {
            uint64_t bits = random_next(&source);
            memcpy((char *)&history + i, &bits, 8);
        }
        for (size_t i = 0; i < 2 * HISTORY_CONNECTIONS_MAX; i++) {
            const struct history_connection *connection =
                history_connection(&history, i, LIMIT, START);
            if (connection)
                ck_assert_ptr_nonnull(history_end_to_string(connection->end));
        }
        add(1, START);
        ck_assert_ptr_nonnull(history_add_worker(&history, LIMIT, START));
    }
}
END_TEST

SUITE("history", NULL, NULL, test_lists_for_historical_time, test_newest_comes_first,
      test_the_oldest_go_for_lack_of_room_and_are_counted, test_what_is_over_is_not_dropped,
      test_workers_have_a_ring_of_their_own, test_a_copy_is_the_same_and_clearing_leaves_nothing,
      test_any_bytes_can_be_read)
