/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Replies that are kept for a moment: never an old one, never another call's, never too many. */
#include "dispatcherd/control/cache.h"
#include "support/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct control_cache cache;

static void setup(void)
{
    cache = (struct control_cache){0};
}

static void teardown(void)
{
    control_cache_clear(&cache);
}

static void keep(const char *key, const char *reply, uint64_t now)
{
    control_cache_keep(&cache, key, reply, strlen(reply) + 1, 1, now);
}

/* NULL: none is expected. */
static void expect(const char *key, uint64_t now, const char *reply)
{
    char *found = NULL;
    size_t size = 0;

    ck_assert_int_eq(control_cache_find(&cache, key, now, &found, &size), reply != NULL);
    if (reply) {
        ck_assert_str_eq(found, reply);
        ck_assert_uint_eq(size, strlen(reply) + 1);
    }
    free(found);
}

START_TEST(test_gives_what_was_kept_until_it_is_old)
{
    keep("Status", "a", 1000);
    expect("Status", 1000, "a");
    expect("Status", 1000 + CONTROL_CACHE_AGE_MIN_USEC - 1, "a");
    expect("Services", 1000, NULL);
    expect("Status", 1000 + CONTROL_CACHE_AGE_MIN_USEC, NULL);
}
END_TEST

START_TEST(test_keeps_what_is_expensive_for_longer)
{
    const uint64_t max = CONTROL_CACHE_AGE_MAX_USEC;

    control_cache_keep(&cache, "dear", "a", 2, max / CONTROL_CACHE_COST_FACTOR / 2, 1000);
    control_cache_keep(&cache, "too dear", "b", 2, max, 1000);
    expect("dear", 1000 + max / 2 - 1, "a");
    expect("dear", 1000 + max / 2, NULL);
    expect("too dear", 1000 + max - 1, "b");
    expect("too dear", 1000 + max, NULL);
}
END_TEST

START_TEST(test_a_new_reply_takes_the_place_of_the_old_one)
{
    keep("Status", "a", 1000);
    keep("Status", "b", 2000);
    expect("Status", 1000 + CONTROL_CACHE_AGE_MIN_USEC, "b");
}
END_TEST

START_TEST(test_the_oldest_goes_when_there_is_no_room)
{
    char key[32];

    for (unsigned i = 0; i < CONTROL_CACHE_REPLIES + 2; i++) {
        snprintf(key, sizeof(key), "%u", i);
        keep(key, key, 1000 + i);
    }
    for (unsigned i = 0; i < CONTROL_CACHE_REPLIES + 2; i++) {
        snprintf(key, sizeof(key), "%u", i);
        expect(key, 2000, i < 2 ? NULL : key);
    }
}
END_TEST

START_TEST(test_old_replies_leave_no_memory_behind)
{
    keep("Status", "a", 1000);
    expect("other", 1000 + CONTROL_CACHE_AGE_MIN_USEC, NULL);
    ck_assert_ptr_null(cache.replies[0].reply);
}
END_TEST

SUITE("control_cache", setup, teardown, test_gives_what_was_kept_until_it_is_old,
      test_keeps_what_is_expensive_for_longer, test_a_new_reply_takes_the_place_of_the_old_one,
      test_the_oldest_goes_when_there_is_no_room, test_old_replies_leave_no_memory_behind)
