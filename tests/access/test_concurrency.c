/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/random.h"
#include "support/suite.h"

#include "access/concurrency.h"

#include <string.h>

static const struct siphash_key secret = {{3, 4}};

static struct address address_of(const char *text)
{
    struct address address;

    ck_assert_int_eq(address_parse(text, &address), 0);
    return address;
}

static struct concurrency *new_table(uint32_t n_places)
{
    struct concurrency *table;

    ck_assert_int_eq(concurrency_new(n_places, &secret, &table), 0);
    return table;
}

START_TEST(test_counts_what_is_open)
{
    struct concurrency *table = new_table(10);
    struct address a = address_of("192.0.2.9"), b = address_of("192.0.2.10");

    ck_assert_uint_eq(concurrency_lookup(table, &a), 0);
    ck_assert_uint_eq(concurrency_add(table, &a), 1);
    a.port = 99; /* does not matter */
    ck_assert_uint_eq(concurrency_add(table, &a), 2);
    ck_assert_uint_eq(concurrency_add(table, &b), 1);
    ck_assert_uint_eq(concurrency_n_sources(table), 2);
    concurrency_remove(table, &a);
    ck_assert_uint_eq(concurrency_lookup(table, &a), 1);
    concurrency_remove(table, &a);
    ck_assert_uint_eq(concurrency_lookup(table, &a), 0);
    ck_assert_uint_eq(concurrency_lookup(table, &b), 1);
    ck_assert_uint_eq(concurrency_n_sources(table), 1);
    concurrency_free(table);
}
END_TEST

START_TEST(test_an_ipv6_network_is_one_source)
{
    struct concurrency *table = new_table(10);
    struct address a = address_of("2001:db8::1"), b = address_of("2001:db8::2"),
                   c = address_of("2001:db8:0:1::1");

    ck_assert_uint_eq(concurrency_add(table, &a), 1);
    ck_assert_uint_eq(concurrency_add(table, &b), 2);
    ck_assert_uint_eq(concurrency_add(table, &c), 1);
    concurrency_free(table);
}
END_TEST

START_TEST(test_what_has_no_place_is_not_limited)
{
    struct concurrency *table = new_table(1);
    struct address a = address_of("192.0.2.9"), b = address_of("192.0.2.10");
    const struct address local = {.family = AF_UNIX};

    ck_assert_uint_eq(concurrency_add(table, &local), 0);
    ck_assert_uint_eq(concurrency_n_uncounted(table), 0);
    ck_assert_uint_eq(concurrency_add(table, &a), 1);
    ck_assert_uint_eq(concurrency_add(table, &b), 0);
    ck_assert_uint_eq(concurrency_n_uncounted(table), 1);
    concurrency_remove(table, &b);
    concurrency_remove(table, &local);
    ck_assert_uint_eq(concurrency_add(table, &a), 2);
    concurrency_remove(table, &a);
    concurrency_remove(table, &a);
    concurrency_remove(table, &a);
    ck_assert_uint_eq(concurrency_add(table, &b), 1);
    concurrency_free(table);
}
END_TEST

/* Against an array of counts. */
START_TEST(test_random_connections_agree_with_a_simple_count)
{
    enum {
        N_SOURCES = 60,
        N_PLACES = 50
    };
    struct random_source random = random_start();
    struct concurrency *table = new_table(N_PLACES);
    uint32_t counts[N_SOURCES] = {0}, n_sources = 0;

    for (unsigned round = 0; round < 200000; round++) {
        /* Waves: mostly coming, then mostly going. */
        bool is_coming = random_between(&random, 0, 9) < (round / 1000 % 2 ? 3 : 7);
        unsigned i = (unsigned)random_between(&random, 0, N_SOURCES - 1);
        struct address address = {.family = i % 2 ? AF_INET : AF_INET6};

        address.bytes[2] = (uint8_t)i;
        if (!is_coming) {
            concurrency_remove(table, &address);
            n_sources -= counts[i] == 1;
            counts[i] -= counts[i] > 0;
        } else if (counts[i] > 0 || n_sources < N_PLACES) {
            n_sources += counts[i] == 0;
            ck_assert_uint_eq(concurrency_add(table, &address), ++counts[i]);
        } else {
            ck_assert_uint_eq(concurrency_add(table, &address), 0);
        }
        ck_assert_uint_eq(concurrency_lookup(table, &address), counts[i]);
        ck_assert_uint_eq(concurrency_n_sources(table), n_sources);
    }
    concurrency_free(table);
}
END_TEST

START_TEST(test_refuses_sizes_that_make_no_sense)
{
    struct concurrency *table;

    ck_assert_int_lt(concurrency_new(0, &secret, &table), 0);
    ck_assert_int_lt(concurrency_new(CONCURRENCY_PLACES_MAX + 1, &secret, &table), 0);
    concurrency_free(NULL);
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("concurrency");

    ADD_TESTS(suite, "concurrency", test_counts_what_is_open, test_an_ipv6_network_is_one_source,
              test_what_has_no_place_is_not_limited, test_refuses_sizes_that_make_no_sense);
    ADD_TESTS(suite, "random", test_random_connections_agree_with_a_simple_count);
    return suite;
}
