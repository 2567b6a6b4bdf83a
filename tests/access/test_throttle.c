/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/random.h"
#include "support/suite.h"

#include "access/throttle.h"
#include "base/time.h"

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

/* How many of n attempts at one time are too many. */
static unsigned n_over(enum throttle_kind kind, const char *host, uint32_t max_rate, unsigned n,
                       uint64_t sec)
{
    struct address address;
    unsigned n_over = 0;

    ck_assert_int_eq(address_parse(host, &address), 0);
    while (n-- > 0)
        n_over += throttle_is_over(throttle, kind, &address, max_rate, START + sec * USEC_PER_SEC);
    return n_over;
}

START_TEST(test_refuses_above_the_rate_until_the_window_ends)
{
    ck_assert_uint_eq(n_over(THROTTLE_PLAIN, "192.0.2.9", 3, 3, 0), 0);
    ck_assert_uint_eq(n_over(THROTTLE_PLAIN, "192.0.2.9", 3, 1, 59), 1);
    ck_assert_uint_eq(n_over(THROTTLE_PLAIN, "192.0.2.9", 3, 3, 60), 0);
    ck_assert_uint_eq(n_over(THROTTLE_PLAIN, "192.0.2.9", 3, 1, 60), 1);
}
END_TEST

/* Windows follow the first connection of the key, not one another. */
START_TEST(test_windows_stay_where_the_first_connection_put_them)
{
    ck_assert_uint_eq(n_over(THROTTLE_PLAIN, "192.0.2.9", 3, 3, 0), 0);
    ck_assert_uint_eq(n_over(THROTTLE_PLAIN, "192.0.2.9", 3, 3, 119), 0);
    ck_assert_uint_eq(n_over(THROTTLE_PLAIN, "192.0.2.9", 3, 3, 121), 0);
}
END_TEST

START_TEST(test_penalty_carries_over_what_was_too_much)
{
    ck_assert_uint_eq(n_over(THROTTLE_PENALTY, "192.0.2.9", 3, 8, 0), 5);
    ck_assert_uint_eq(n_over(THROTTLE_PENALTY, "192.0.2.9", 3, 1, 60), 1);
    ck_assert_uint_eq(n_over(THROTTLE_PENALTY, "192.0.2.9", 3, 1, 120), 1);
    ck_assert_uint_eq(n_over(THROTTLE_PENALTY, "192.0.2.9", 3, 1, 180), 0);
}
END_TEST

START_TEST(test_looking_counts_nothing)
{
    struct address address;
    uint32_t count;

    ck_assert_int_eq(address_parse("192.0.2.9", &address), 0);
    for (unsigned i = 0; i < 10; i++)
        ck_assert(!throttle_would_be_over(throttle, THROTTLE_PLAIN, &address, 3, START, &count));
    ck_assert_uint_eq(count, 0);
    ck_assert_uint_eq(throttle_n_keys(throttle), 0);
    ck_assert_uint_eq(n_over(THROTTLE_PLAIN, "192.0.2.9", 3, 3, 0), 0);
    ck_assert(throttle_would_be_over(throttle, THROTTLE_PLAIN, &address, 3, START, &count));
    ck_assert_uint_eq(count, 3);
    ck_assert(!throttle_would_be_over(throttle, THROTTLE_PLAIN, &address, 3,
                                      START + THROTTLE_WINDOW_USEC, &count));
    ck_assert_uint_eq(count, 0);
    ck_assert_uint_eq(n_over(THROTTLE_PLAIN, "192.0.2.9", 3, 1, 0), 1);
    ck_assert(throttle_would_be_over(throttle, THROTTLE_PLAIN, &address, 0, START, &count));
}
END_TEST

START_TEST(test_penalty_of_eight_ends_in_the_third_minute)
{
    ck_assert_uint_eq(n_over(THROTTLE_PENALTY, "192.0.2.9", 3, 8, 0), 5);
    ck_assert_uint_eq(n_over(THROTTLE_PENALTY, "192.0.2.9", 3, 1, 120), 0);
}
END_TEST

/* The example of the original's manual: 250 connections at a rate of 100. */
START_TEST(test_penalty_of_the_guide)
{
    ck_assert_uint_eq(n_over(THROTTLE_PENALTY, "192.0.2.9", 100, 250, 0), 150);
    ck_assert_uint_eq(n_over(THROTTLE_PENALTY, "192.0.2.9", 100, 1, 119), 1);
    ck_assert_uint_eq(n_over(THROTTLE_PENALTY, "192.0.2.9", 100, 1, 120), 0);
    ck_assert_uint_eq(n_over(THROTTLE_PENALTY, "192.0.2.1", 100, 250, 0), 150);
    ck_assert_uint_eq(n_over(THROTTLE_PENALTY, "192.0.2.1", 100, 51, 120), 1);
}
END_TEST

START_TEST(test_keys_count_for_themselves)
{
    ck_assert_uint_eq(n_over(THROTTLE_PLAIN, "192.0.2.9", 1, 2, 0), 1);
    ck_assert_uint_eq(n_over(THROTTLE_PLAIN, "192.0.2.9", 2, 2, 0), 0);
    ck_assert_uint_eq(n_over(THROTTLE_PENALTY, "192.0.2.9", 1, 1, 0), 0);
    ck_assert_uint_eq(n_over(THROTTLE_PLAIN, "192.0.2.10", 1, 1, 0), 0);
    ck_assert_uint_eq(throttle_n_keys(throttle), 4);
}
END_TEST

START_TEST(test_an_ipv6_network_is_one_source)
{
    ck_assert_uint_eq(n_over(THROTTLE_PLAIN, "2001:db8:0:1::1", 1, 1, 0), 0);
    ck_assert_uint_eq(n_over(THROTTLE_PLAIN, "2001:db8:0:1:ffff::2", 1, 1, 0), 1);
    ck_assert_uint_eq(n_over(THROTTLE_PLAIN, "2001:db8:0:2::1", 1, 1, 0), 0);
    /* The same bytes as 192.0.2.9, and another source. */
    ck_assert_uint_eq(n_over(THROTTLE_PLAIN, "c000:209::", 1, 1, 0), 0);
    ck_assert_uint_eq(n_over(THROTTLE_PLAIN, "192.0.2.9", 1, 1, 0), 0);
}
END_TEST

static struct throttle_view count_at(enum throttle_kind kind, uint32_t max_rate, uint64_t sec,
                                     bool *ret_is_over)
{
    const struct address address = {.family = AF_INET, .bytes = {192, 0, 2, 9}};
    struct throttle_view view;

    *ret_is_over =
        throttle_count(throttle, kind, &address, max_rate, START + sec * USEC_PER_SEC, &view);
    return view;
}

static bool learn(enum throttle_kind kind, uint32_t max_rate, uint64_t window_at,
                  const struct throttle_news *news, uint64_t sec)
{
    struct throttle_key key = {.max_rate = max_rate, .kind = kind};
    const struct address address = {.family = AF_INET, .bytes = {192, 0, 2, 9}};

    ck_assert(source_of(&address, &key.source));
    return throttle_learn(throttle, &key, window_at, news, START + sec * USEC_PER_SEC);
}

/* START is 40 s after a whole minute. */
START_TEST(test_aligned_windows_begin_at_the_phase)
{
    bool is_over;

    throttle_align(throttle, 0);
    ck_assert_uint_eq(count_at(THROTTLE_PLAIN, 1, 0, &is_over).window_at,
                      START - 40 * USEC_PER_SEC);
    ck_assert(!is_over);
    ck_assert_uint_eq(count_at(THROTTLE_PLAIN, 1, 19, &is_over).own, 2);
    ck_assert(is_over);
    ck_assert_uint_eq(count_at(THROTTLE_PLAIN, 1, 20, &is_over).own, 1);
    ck_assert(!is_over);
}
END_TEST

/* However busy its source is, and wherever its window was when the clock became known. */
START_TEST(test_a_window_from_before_joins_the_common_ones)
{
    for (unsigned from = 0; from < 60; from += 7) {
        uint64_t window_at = 0;
        bool is_over;

        throttle_unalign(throttle);
        for (unsigned at = 300 * from; at < 300 * from + 200; at++) {
            if (at == 300 * from + from)
                throttle_align(throttle, 0);
            window_at = count_at(THROTTLE_PLAIN, 1 + from, at, &is_over).window_at;
        }
        ck_assert_uint_eq(window_at % THROTTLE_WINDOW_USEC, 0);
    }
}
END_TEST

START_TEST(test_own_connections_are_not_counted_as_those_of_others_too)
{
    const struct throttle_news total = {.total = 100, .adds = true},
                               sums = {.own = 60, .others = 40};
    bool is_over;

    throttle_align(throttle, 0);
    uint64_t window_at = count_at(THROTTLE_PENALTY, 4, 0, &is_over).window_at;
    ck_assert(learn(THROTTLE_PENALTY, 4, window_at, &total, 1));
    ck_assert(learn(THROTTLE_PENALTY, 4, window_at, &sums, 2));
    struct throttle_view view = count_at(THROTTLE_PENALTY, 4, 3, &is_over);
    ck_assert_uint_eq(view.own, 61);
    ck_assert_uint_eq(view.others, 40);
}
END_TEST

START_TEST(test_counts_of_other_hosts_are_added_for_their_window)
{
    const struct throttle_news news = {.others = 3}, total = {.total = 9, .adds = true};
    bool is_over;

    throttle_align(throttle, 0);
    ck_assert(!learn(THROTTLE_PLAIN, 4, START - 40 * USEC_PER_SEC, &news, 0));
    uint64_t window_at = count_at(THROTTLE_PLAIN, 4, 0, &is_over).window_at;
    ck_assert(!is_over);
    ck_assert(learn(THROTTLE_PLAIN, 4, window_at, &news, 1));
    ck_assert_uint_eq(count_at(THROTTLE_PLAIN, 4, 2, &is_over).others, 3);
    ck_assert(is_over);
    /* What is known of a window that is over says nothing of the next. */
    ck_assert_uint_eq(count_at(THROTTLE_PLAIN, 4, 20, &is_over).others, 0);
    ck_assert(!is_over);
    ck_assert(!learn(THROTTLE_PLAIN, 4, window_at, &total, 21));
    ck_assert(learn(THROTTLE_PLAIN, 4, window_at + THROTTLE_WINDOW_USEC, &total, 21));
    ck_assert_uint_eq(count_at(THROTTLE_PLAIN, 4, 22, &is_over).others, 8);
    ck_assert(is_over);
}
END_TEST

/* 20 connections to all hosts at a rate of 10, 5 of them here: a quarter of the excess is ours. */
START_TEST(test_an_excess_is_carried_over_in_proportion)
{
    const struct throttle_news news = {.others = 15};
    struct throttle_view view = {0};
    bool is_over;

    throttle_align(throttle, 0);
    for (unsigned i = 0; i < 5; i++)
        view = count_at(THROTTLE_PENALTY, 10, 0, &is_over);
    ck_assert(learn(THROTTLE_PENALTY, 10, view.window_at, &news, 1));
    ck_assert_uint_eq(count_at(THROTTLE_PENALTY, 10, 20, &is_over).own, 2 + 1);
    ck_assert(!is_over);
}
END_TEST

START_TEST(test_windows_may_have_another_length)
{
    const struct throttle_key hour = {.max_rate = 2, .window_sec = 3600}, minute = {.max_rate = 2};
    const struct address address = {.family = AF_INET, .bytes = {192, 0, 2, 1}};
    uint64_t begin = 7200 * USEC_PER_SEC;
    struct throttle_view view;
    uint32_t count;

    throttle_align(throttle, 0);
    for (unsigned at = 0; at < 3600; at += 600) {
        bool is_over =
            throttle_count_key(throttle, &hour, &address, begin + at * USEC_PER_SEC, &view);

        ck_assert_int_eq(is_over, at >= 1200);
        ck_assert_uint_eq(view.own, at / 600 + 1);
        ck_assert_uint_eq(view.window_at, begin);
    }
    ck_assert(!throttle_count_key(throttle, &minute, &address, begin + 3500 * USEC_PER_SEC, &view));
    ck_assert_uint_eq(view.own, 1);
    ck_assert(
        throttle_key_would_be_over(throttle, &hour, &address, begin + 3599 * USEC_PER_SEC, &count));
    ck_assert(!throttle_key_would_be_over(throttle, &hour, &address, begin + 3600 * USEC_PER_SEC,
                                          &count));
    ck_assert_uint_eq(count, 0);
}
END_TEST

START_TEST(test_a_host_that_leaves_its_fleet_counts_alone)
{
    const struct throttle_news news = {.others = 9};
    bool is_over;

    throttle_align(throttle, 0);
    uint64_t window_at = count_at(THROTTLE_PLAIN, 4, 0, &is_over).window_at;
    ck_assert(learn(THROTTLE_PLAIN, 4, window_at, &news, 1));
    (void)count_at(THROTTLE_PLAIN, 4, 2, &is_over);
    ck_assert(is_over);
    throttle_unalign(throttle);
    throttle_forget_others(throttle);
    struct throttle_view view = count_at(THROTTLE_PLAIN, 4, 3, &is_over);
    ck_assert(!is_over);
    ck_assert_uint_eq(view.own, 3);
    ck_assert_uint_eq(view.others, 0);
    ck_assert_uint_eq(view.others_at, 0);
}
END_TEST

START_TEST(test_edges)
{
    const struct address local = {.family = AF_UNIX}, unknown = {.family = AF_UNSPEC};

    ck_assert_uint_eq(n_over(THROTTLE_PLAIN, "192.0.2.9", 0, 3, 0), 3);
    ck_assert_uint_eq(n_over(THROTTLE_PENALTY, "192.0.2.9", 0, 3, 0), 3);
    ck_assert_uint_eq(n_over(THROTTLE_PLAIN, "192.0.2.9", UINT32_MAX, 3, 0), 0);
    ck_assert_uint_eq(n_over(THROTTLE_PENALTY, "192.0.2.9", UINT32_MAX, 3, UINT32_MAX), 0);
    /* A clock that goes back starts no new window. */
    ck_assert_uint_eq(n_over(THROTTLE_PLAIN, "192.0.2.7", 1, 1, 100), 0);
    ck_assert_uint_eq(n_over(THROTTLE_PLAIN, "192.0.2.7", 1, 1, 0), 1);
    ck_assert(!throttle_is_over(throttle, THROTTLE_PLAIN, &local, 0, START));
    ck_assert(!throttle_is_over(throttle, THROTTLE_PLAIN, &unknown, 0, START));
}
END_TEST

START_TEST(test_memory_is_bounded_whatever_the_number_of_sources)
{
    struct address address = {.family = AF_INET6};

    for (uint32_t i = 0; i < 3 * THROTTLE_KEYS_MAX; i++) {
        memcpy(address.bytes, &i, sizeof(i));
        ck_assert(!throttle_is_over(throttle, THROTTLE_PLAIN, &address, 1, START + i));
        ck_assert_uint_le(throttle_n_keys(throttle), THROTTLE_KEYS_MAX);
    }
    ck_assert_uint_eq(throttle_n_keys(throttle), THROTTLE_KEYS_MAX);
    ck_assert_uint_eq(throttle_n_evicted(throttle), 2 * THROTTLE_KEYS_MAX);
}
END_TEST

/* The model: the definition, without hash, links and arithmetic. */
#define MODEL_KEYS_MAX 13

struct model_key {
    bool is_used;
    enum throttle_kind kind;
    unsigned source;
    uint32_t max_rate;
    uint64_t window_at;
    uint64_t count;
    uint64_t last_call;
};

static bool is_model_over(struct model_key keys[MODEL_KEYS_MAX], const struct model_key *wanted,
                          uint64_t call, uint64_t now)
{
    struct model_key *key = NULL, *oldest = &keys[0];

    for (size_t i = 0; i < MODEL_KEYS_MAX; i++) {
        if (keys[i].is_used && keys[i].kind == wanted->kind && keys[i].source == wanted->source &&
            keys[i].max_rate == wanted->max_rate)
            key = &keys[i];
        if (keys[i].last_call < oldest->last_call)
            oldest = &keys[i];
    }
    if (!key) {
        key = oldest;
        *key = *wanted;
        key->is_used = true;
        key->window_at = now;
    }
    key->last_call = call;
    while (now >= key->window_at + 60 * USEC_PER_SEC) {
        bool is_kept = key->kind == THROTTLE_PENALTY && key->count > key->max_rate;

        key->count = is_kept ? key->count - key->max_rate : 0;
        key->window_at += 60 * USEC_PER_SEC;
    }
    return ++key->count > key->max_rate;
}

static struct address source_number(struct random_source *random, unsigned source)
{
    struct address address = {.family = source % 2 ? AF_INET : AF_INET6};

    address.bytes[3] = (uint8_t)source;
    if (address.family == AF_INET6)
        address.bytes[12] = (uint8_t)random_next(random);
    address.port = (uint16_t)random_next(random);
    return address;
}

START_TEST(test_random_calls_agree_with_the_model)
{
    struct random_source random = random_start();

    for (unsigned round = 0; round < 200; round++) {
        struct model_key keys[MODEL_KEYS_MAX] = {{0}};
        unsigned n_sources = (unsigned)random_between(&random, 1, 12);
        uint64_t now = START;
        struct throttle *small;

        ck_assert_int_eq(throttle_new(MODEL_KEYS_MAX, &secret, &small), 0);
        for (unsigned call = 1; call <= 1000; call++) {
            struct model_key wanted = {
                .kind = random_next(&random) % 2 ? THROTTLE_PLAIN : THROTTLE_PENALTY,
                .source = (unsigned)random_between(&random, 1, n_sources),
                .max_rate = (uint32_t)random_between(&random, 0, 3),
            };
            struct address address = source_number(&random, wanted.source);

            now += random_between(&random, 0, random_next(&random) % 50 ? 10 : 300) * USEC_PER_SEC;
            ck_assert_int_eq(throttle_is_over(small, wanted.kind, &address, wanted.max_rate, now),
                             is_model_over(keys, &wanted, call, now));
            ck_assert_uint_le(throttle_n_keys(small), MODEL_KEYS_MAX);
        }
        throttle_free(small);
    }
}
END_TEST

/* Calls of keys that come and go in a small table. */
static void call_at_random(struct throttle *table, struct random_source *random, unsigned n_calls)
{
    while (n_calls-- > 0) {
        struct address address = source_number(random, (unsigned)random_between(random, 1, 40));

        (void)throttle_is_over(table, THROTTLE_PENALTY, &address, 2,
                               START + n_calls * USEC_PER_SEC);
    }
}

START_TEST(test_a_table_outlives_its_process)
{
    struct random_source random = random_start();
    const struct address address = {.family = AF_INET, .bytes = {192, 0, 2, 9}};
    size_t size = throttle_size(20);
    void *memory = calloc(1, size), *moved = calloc(1, size);
    struct throttle *table = throttle_format(memory, 20, &secret);

    ck_assert_ptr_eq(throttle_adopt(memory, size), table);
    call_at_random(table, &random, 500);
    for (unsigned i = 0; i < 3; i++)
        ck_assert(!throttle_is_over(table, THROTTLE_PLAIN, &address, 3, START));
    memcpy(moved, memory, size);
    table = throttle_adopt(moved, size);
    ck_assert_ptr_nonnull(table);
    ck_assert_uint_eq(throttle_n_keys(table), 20);
    ck_assert(throttle_is_over(table, THROTTLE_PLAIN, &address, 3, START));
    ck_assert_ptr_null(throttle_adopt(moved, size - 8));
    ck_assert_ptr_null(throttle_adopt(moved, 4));
    memset(moved, 0, size);
    ck_assert_ptr_null(throttle_adopt(moved, size));
    free(memory);
    free(moved);
}
END_TEST

/* Half a change, or worse: refused, or harmless. */
START_TEST(test_a_damaged_table_does_no_harm)
{
    struct random_source random = random_start();
    size_t size = throttle_size(20);
    uint32_t *memory = calloc(1, size), *damaged = calloc(1, size);
    unsigned n_refused = 0;

    call_at_random(throttle_format(memory, 20, &secret), &random, 500);
    for (unsigned round = 0; round < 20000; round++) {
        memcpy(damaged, memory, size);
        for (uint64_t n = random_between(&random, 1, 3); n > 0; n--)
            damaged[random_between(&random, 0, size / 4 - 1)] =
                (uint32_t)random_between(&random, 0, random_next(&random) % 2 ? 21 : UINT32_MAX);
        struct throttle *table = throttle_adopt(damaged, size);
        n_refused += !table;
        if (table)
            call_at_random(table, &random, 50);
    }
    ck_assert_uint_gt(n_refused, 10000);
    free(memory);
    free(damaged);
}
END_TEST

START_TEST(test_refuses_sizes_that_make_no_sense)
{
    struct throttle *table;

    ck_assert_int_lt(throttle_new(0, &secret, &table), 0);
    ck_assert_int_lt(throttle_new(THROTTLE_KEYS_MAX + 1, &secret, &table), 0);
    ck_assert_int_eq(throttle_new(1, &secret, &table), 0);
    throttle_free(table);
    throttle_free(NULL);
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("throttle");

    ADD_FIXTURE_TESTS(
        suite, "counts", setup, teardown, test_refuses_above_the_rate_until_the_window_ends,
        test_windows_stay_where_the_first_connection_put_them,
        test_penalty_carries_over_what_was_too_much, test_looking_counts_nothing,
        test_penalty_of_eight_ends_in_the_third_minute, test_penalty_of_the_guide,
        test_keys_count_for_themselves, test_an_ipv6_network_is_one_source,
        test_aligned_windows_begin_at_the_phase, test_a_window_from_before_joins_the_common_ones,
        test_own_connections_are_not_counted_as_those_of_others_too,
        test_counts_of_other_hosts_are_added_for_their_window,
        test_an_excess_is_carried_over_in_proportion, test_windows_may_have_another_length,
        test_a_host_that_leaves_its_fleet_counts_alone, test_edges,
        test_memory_is_bounded_whatever_the_number_of_sources);
    ADD_TESTS(suite, "table", test_random_calls_agree_with_the_model,
              test_a_table_outlives_its_process, test_a_damaged_table_does_no_harm,
              test_refuses_sizes_that_make_no_sense);
    return suite;
}
