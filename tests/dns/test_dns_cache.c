/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/random.h"
#include "support/suite.h"

#include "base/time.h"
#include "dns/dns_cache.h"

#include <stdio.h>

enum {
    N_MAX = 8
};

static struct dns_cache *cache;

static void setup(void)
{
    ck_assert_int_eq(dns_cache_new(N_MAX, &cache), 0);
}

static void teardown(void)
{
    dns_cache_free(cache);
}

static void put(const char *name, uint64_t now_sec, uint32_t ttl_sec)
{
    const struct dns_fact fact = {.meaning = DNS_ANSWER_LISTED, .text = "why", .ttl_sec = ttl_sec};

    dns_cache_put(cache, name, DNS_TYPE_A, now_sec * USEC_PER_SEC, &fact);
}

static bool knows(const char *name, uint64_t now_sec)
{
    struct dns_fact fact;
    bool is_known = dns_cache_find(cache, name, DNS_TYPE_A, now_sec * USEC_PER_SEC, &fact);

    if (is_known) {
        ck_assert_int_eq(fact.meaning, DNS_ANSWER_LISTED);
        ck_assert_str_eq(fact.text, "why");
    }
    return is_known;
}

START_TEST(test_knows_until_the_time_is_over)
{
    struct dns_fact fact;

    put("a.z", 100, 10);
    ck_assert(knows("a.z", 109));
    ck_assert(!knows("b.z", 109));
    ck_assert(!dns_cache_find(cache, "a.z", DNS_TYPE_TXT, 0, &fact));
    ck_assert(!knows("a.z", 110));
    ck_assert_uint_eq(dns_cache_n_entries(cache), 0);
}
END_TEST

START_TEST(test_newer_takes_the_place_of_older)
{
    put("a.z", 100, 10);
    put("a.z", 105, 10);
    ck_assert(knows("a.z", 114));
    ck_assert_uint_eq(dns_cache_n_entries(cache), 1);
}
END_TEST

START_TEST(test_what_was_used_longest_ago_goes)
{
    char name[16];

    for (int i = 0; i < N_MAX; i++) {
        snprintf(name, sizeof(name), "%d.z", i);
        put(name, 0, 100);
    }
    ck_assert(knows("0.z", 1));
    put("new.z", 1, 100);
    ck_assert(knows("0.z", 1));
    ck_assert(!knows("1.z", 1));
    ck_assert(knows("2.z", 1));
    ck_assert_uint_eq(dns_cache_n_entries(cache), N_MAX);
}
END_TEST

START_TEST(test_is_bounded_and_never_stale)
{
    struct random_source source = random_start();
    uint64_t until[32] = {0};
    char name[16];

    for (uint64_t now = 1; now < 20000; now++) {
        size_t i = random_between(&source, 0, 31);
        snprintf(name, sizeof(name), "%zu.z", i);
        if (random_between(&source, 0, 1)) {
            uint32_t ttl = (uint32_t)random_between(&source, 1, 100);
            put(name, now, ttl);
            until[i] = now + ttl;
            ck_assert(knows(name, now));
        } else if (knows(name, now))
            ck_assert_uint_lt(now, until[i]);
        ck_assert_uint_le(dns_cache_n_entries(cache), N_MAX);
    }
}
END_TEST

SUITE("dns_cache", setup, teardown, test_knows_until_the_time_is_over,
      test_newer_takes_the_place_of_older, test_what_was_used_longest_ago_goes,
      test_is_bounded_and_never_stale)
