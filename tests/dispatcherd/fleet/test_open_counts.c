/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/suite.h"

#include "base/macro.h"
#include "base/time.h"
#include "dispatcherd/fleet/open_counts.h"

#include <stdio.h>

#define NOW   (1000 * USEC_PER_SEC)
#define LIMIT 4

static struct open_counts *counts;
static struct open_key key;
static struct open_item items[8];

static struct open_key key_of(unsigned number)
{
    const struct source source = {
        .family = AF_INET,
        .prefix = {10, (uint8_t)(number >> 16), (uint8_t)(number >> 8), (uint8_t)number}};
    struct open_key made;

    ck_assert(open_key_set(&made, "smtp", &source));
    return made;
}

static void set_up(void)
{
    static const struct siphash_key secret = {{1, 2}};

    ck_assert_int_eq(open_counts_new(&secret, &counts), 0);
    key = key_of(1);
}

static void tear_down(void)
{
    open_counts_free(counts);
}

static void set(uint32_t own, uint64_t now)
{
    open_counts_set(counts, &key, own, LIMIT, now);
}

static size_t take(uint64_t now)
{
    return open_counts_take(counts, items, 8, now);
}

static uint32_t elsewhere(uint64_t now)
{
    uint64_t at;

    return open_counts_elsewhere(counts, &key, now, &at);
}

START_TEST(test_a_changed_count_is_owed_once)
{
    ck_assert_uint_eq(open_counts_due(counts), UINT64_MAX);
    set(1, NOW);
    set(2, NOW);
    ck_assert_uint_eq(open_counts_due(counts), 0);
    ck_assert_uint_eq(take(NOW), 1);
    ck_assert_uint_eq(items[0].own, 2);
    ck_assert_uint_eq(items[0].limit, LIMIT);
    ck_assert_uint_eq(take(NOW), 0);
    set(2, NOW);
    ck_assert_uint_eq(take(NOW), 0);
}
END_TEST

/* A host that no longer does that has died. */
START_TEST(test_what_is_open_is_sent_again)
{
    set(1, NOW);
    take(NOW);
    ck_assert_uint_eq(open_counts_due(counts), NOW + OPEN_REFRESH_USEC);
    ck_assert_uint_eq(take(NOW + OPEN_REFRESH_USEC - 1), 0);
    ck_assert_uint_eq(take(NOW + OPEN_REFRESH_USEC), 1);
    set(0, NOW + OPEN_REFRESH_USEC);
    ck_assert_uint_eq(take(NOW + OPEN_REFRESH_USEC), 1);
    ck_assert_uint_eq(items[0].own, 0);
    ck_assert_uint_eq(open_counts_due(counts), UINT64_MAX);
}
END_TEST

START_TEST(test_what_came_and_went_between_two_batches_is_not_sent)
{
    set(1, NOW);
    set(0, NOW);
    ck_assert_uint_eq(take(NOW), 0);
    ck_assert_uint_eq(open_counts_due(counts), UINT64_MAX);
}
END_TEST

START_TEST(test_counts_of_others_are_known_for_a_while)
{
    set(1, NOW);
    take(NOW);
    open_counts_answer(counts, &items[0], 3, NOW + 1);
    ck_assert_uint_eq(elsewhere(NOW + 2), 3);
    ck_assert_uint_eq(elsewhere(NOW + OPEN_EXPIRE_USEC), 3);
    ck_assert_uint_eq(elsewhere(NOW + OPEN_EXPIRE_USEC + 1), 0);
    open_counts_answer(counts, &items[0], 0, NOW + 3);
    ck_assert_uint_eq(elsewhere(NOW + 4), 0);
}
END_TEST

/* Of a total, what this host has sent is its own. */
START_TEST(test_an_address_at_its_limit_is_told_to_all)
{
    open_counts_tell(counts, &key, 4, NOW);
    ck_assert_uint_eq(elsewhere(NOW), 4);
    set(1, NOW);
    take(NOW);
    open_counts_tell(counts, &key, 4, NOW); /* without what has just been sent */
    ck_assert_uint_eq(elsewhere(NOW), 4);
    open_counts_answer(counts, &items[0], 4, NOW);
    open_counts_tell(counts, &key, 5, NOW);
    ck_assert_uint_eq(elsewhere(NOW), 4);
    open_counts_tell(counts, &key, 0, NOW);
    ck_assert_uint_eq(elsewhere(NOW), 0);
}
END_TEST

START_TEST(test_a_store_that_lost_its_data_is_owed_all)
{
    set(1, NOW);
    take(NOW);
    open_counts_owe_all(counts);
    ck_assert_uint_eq(open_counts_due(counts), 0);
    ck_assert_uint_eq(take(NOW), 1);
    ck_assert_uint_eq(take(NOW), 0);
}
END_TEST

/* The link has failed. What the store has of this host, other hosts add up for 15 s. */
START_TEST(test_a_count_that_fell_to_zero_is_not_lost_with_the_link)
{
    /* Which of the two batches are answered, and how often the address comes and goes before the
     * next connection to the store. */
    static const struct {
        unsigned n_answers, n_visits;
        size_t n_owed;
    } cases[] = {{0, 0, 1}, {0, 1, 1}, {1, 0, 1}, {1, 1, 1}, {2, 0, 0}, {2, 1, 0}};

    for (unsigned i = 0; i < ELEMENTSOF(cases); i++) {
        struct open_item first;

        key = key_of(i);
        set(1, NOW);
        ck_assert_uint_eq(take(NOW), 1);
        first = items[0];
        set(0, NOW + 1);
        ck_assert_uint_eq(take(NOW + 1), 1);
        if (cases[i].n_answers > 0)
            open_counts_answer(counts, &first, 0, NOW + 2);
        if (cases[i].n_answers > 1)
            open_counts_answer(counts, &items[0], 0, NOW + 2);
        for (unsigned k = 0; k < cases[i].n_visits; k++) {
            set(1, NOW + 3);
            set(0, NOW + 3);
        }
        open_counts_owe_all(counts);
        ck_assert_msg(take(NOW + 4) == cases[i].n_owed, "case %u", i);
        if (cases[i].n_owed > 0) {
            ck_assert_uint_eq(items[0].own, 0);
            open_counts_answer(counts, &items[0], 0, NOW + 5);
        }
        open_counts_owe_all(counts);
        ck_assert_msg(take(NOW + 6) == 0, "case %u: sent again", i);
    }
}
END_TEST

/* The answer to an earlier zero is none to the last one. */
START_TEST(test_only_the_answer_to_the_last_zero_settles_it)
{
    struct open_item zero;

    set(1, NOW);
    ck_assert_uint_eq(take(NOW), 1);
    set(0, NOW + 1);
    ck_assert_uint_eq(take(NOW + 1), 1);
    zero = items[0];
    set(1, NOW + 2);
    ck_assert_uint_eq(take(NOW + 2), 1);
    set(0, NOW + 3);
    ck_assert_uint_eq(take(NOW + 3), 1);
    open_counts_answer(counts, &zero, 0, NOW + 4);
    open_counts_owe_all(counts);
    ck_assert_uint_eq(take(NOW + 5), 1);
    ck_assert_uint_eq(items[0].own, 0);
}
END_TEST

START_TEST(test_the_table_is_bounded_and_forgets)
{
    for (unsigned i = 0; i < OPEN_COUNTS_MAX + 10; i++) {
        const struct open_key other = key_of(i);

        open_counts_tell(counts, &other, 5, NOW);
    }
    ck_assert_uint_eq(open_counts_n(counts), OPEN_COUNTS_MAX);
    ck_assert_uint_eq(open_counts_n_left_out(counts), 10);
    key = key_of(OPEN_COUNTS_MAX + 5);
    set(1, NOW);
    ck_assert_uint_eq(take(NOW), 0);
    set(1, NOW + OPEN_EXPIRE_USEC);
    ck_assert_uint_eq(open_counts_n(counts), 1);
    ck_assert_uint_eq(take(NOW + OPEN_EXPIRE_USEC), 1);
}
END_TEST

SUITE("open counts", set_up, tear_down, test_a_changed_count_is_owed_once,
      test_what_is_open_is_sent_again, test_what_came_and_went_between_two_batches_is_not_sent,
      test_counts_of_others_are_known_for_a_while, test_an_address_at_its_limit_is_told_to_all,
      test_a_store_that_lost_its_data_is_owed_all,
      test_a_count_that_fell_to_zero_is_not_lost_with_the_link,
      test_only_the_answer_to_the_last_zero_settles_it, test_the_table_is_bounded_and_forgets)
