/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/suite.h"

#include "base/time.h"
#include "dispatcherd/sockets/fleet_address.h"

#include <string.h>
#include <unistd.h>

/* How long a look-up that asks nobody may take, in turns of 10 ms. */
#define TURNS_MAX 3000

static struct fleet_address *look_up(const char *store)
{
    struct fleet_address *name = NULL;

    ck_assert_int_eq(fleet_address_new(store, &name), 0);
    ck_assert_ptr_null(fleet_address_text(name));
    ck_assert_ptr_null(fleet_address_reason(name));
    for (int i = 0; i < TURNS_MAX && !fleet_address_text(name) && !fleet_address_reason(name);
         i++) {
        fleet_address_follow(name, time_now_usec(CLOCK_MONOTONIC));
        usleep(10000);
    }
    return name;
}

START_TEST(test_tells_names_from_addresses)
{
    ck_assert(fleet_address_has_name("store.example:6379"));
    ck_assert(fleet_address_has_name("localhost:1"));
    ck_assert(!fleet_address_has_name("192.0.2.1:6379"));
    ck_assert(!fleet_address_has_name("[2001:db8::1]:6379"));
    ck_assert(!fleet_address_has_name("unix:/run/redis/redis.sock"));
    ck_assert(!fleet_address_has_name("store.example"));
}
END_TEST

START_TEST(test_finds_the_address_of_a_name)
{
    struct fleet_address *name = look_up("localhost:6379");
    const char *address = fleet_address_text(name);

    ck_assert_ptr_nonnull(address);
    ck_assert_msg(strcmp(address, "127.0.0.1:6379") == 0 || strcmp(address, "[::1]:6379") == 0,
                  "%s", address);
    ck_assert_ptr_null(fleet_address_reason(name));
    fleet_address_free(name);
}
END_TEST

START_TEST(test_says_why_it_finds_none)
{
    struct fleet_address *name = look_up("two..dots:6379");

    ck_assert_ptr_null(fleet_address_text(name));
    ck_assert_ptr_nonnull(fleet_address_reason(name));
    fleet_address_free(name);
}
END_TEST

START_TEST(test_is_left_while_it_looks_a_name_up)
{
    struct fleet_address *name = NULL;

    ck_assert_int_eq(fleet_address_new("localhost:6379", &name), 0);
    fleet_address_follow(name, time_now_usec(CLOCK_MONOTONIC));
    fleet_address_free(name);
    fleet_address_free(NULL);
}
END_TEST

SUITE("fleet_address", NULL, NULL, test_tells_names_from_addresses,
      test_finds_the_address_of_a_name, test_says_why_it_finds_none,
      test_is_left_while_it_looks_a_name_up)
