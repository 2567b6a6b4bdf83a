/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/suite.h"

#include "base/time.h"
#include "dispatcherd/sockets/store_name.h"

#include <string.h>
#include <unistd.h>

/* How long a look-up that asks nobody may take, in turns of 10 ms. */
#define TURNS_MAX 3000

static struct store_name *look_up(const char *store)
{
    struct store_name *name = NULL;

    ck_assert_int_eq(store_name_new(store, &name), 0);
    ck_assert_ptr_null(store_name_address(name));
    ck_assert_ptr_null(store_name_reason(name));
    for (int i = 0; i < TURNS_MAX && !store_name_address(name) && !store_name_reason(name); i++) {
        store_name_follow(name, time_now_usec(CLOCK_MONOTONIC));
        usleep(10000);
    }
    return name;
}

START_TEST(test_tells_names_from_addresses)
{
    ck_assert(store_name_is("store.example:6379"));
    ck_assert(store_name_is("localhost:1"));
    ck_assert(!store_name_is("192.0.2.1:6379"));
    ck_assert(!store_name_is("[2001:db8::1]:6379"));
    ck_assert(!store_name_is("unix:/run/redis/redis.sock"));
    ck_assert(!store_name_is("store.example"));
}
END_TEST

START_TEST(test_finds_the_address_of_a_name)
{
    struct store_name *name = look_up("localhost:6379");
    const char *address = store_name_address(name);

    ck_assert_ptr_nonnull(address);
    ck_assert_msg(strcmp(address, "127.0.0.1:6379") == 0 || strcmp(address, "[::1]:6379") == 0,
                  "%s", address);
    ck_assert_ptr_null(store_name_reason(name));
    store_name_free(name);
}
END_TEST

START_TEST(test_says_why_it_finds_none)
{
    struct store_name *name = look_up("two..dots:6379");

    ck_assert_ptr_null(store_name_address(name));
    ck_assert_ptr_nonnull(store_name_reason(name));
    store_name_free(name);
}
END_TEST

START_TEST(test_is_left_while_it_looks_a_name_up)
{
    struct store_name *name = NULL;

    ck_assert_int_eq(store_name_new("localhost:6379", &name), 0);
    store_name_follow(name, time_now_usec(CLOCK_MONOTONIC));
    store_name_free(name);
    store_name_free(NULL);
}
END_TEST

SUITE("store_name", NULL, NULL, test_tells_names_from_addresses, test_finds_the_address_of_a_name,
      test_says_why_it_finds_none, test_is_left_while_it_looks_a_name_up)
