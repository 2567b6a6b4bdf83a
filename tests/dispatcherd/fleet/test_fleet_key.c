/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/suite.h"

#include "base/macro.h"
#include "dispatcherd/fleet/fleet_key.h"

#include <string.h>

static const struct {
    const char *client, *text;
    enum throttle_kind kind;
    uint32_t rate;
    uint64_t window;
    uint32_t window_sec;
} keys[] = {
    {"192.0.2.255", "dispatcherd:{fleet}:29933208:c:10:4:c00002ff", THROTTLE_PLAIN, 10, 29933208,
     0},
    {"192.0.2.1", "dispatcherd:{fleet}:498886:p:5000/3600:4:c0000201", THROTTLE_PENALTY, 5000,
     498886, 3600},
    {"2001:db8:1:2::3", "dispatcherd:{fleet}:0:p:4294967295:6:20010db800010002", THROTTLE_PENALTY,
     UINT32_MAX, 0, 0},
};

START_TEST(test_a_name_says_all_of_the_key)
{
    for (size_t i = 0; i < ELEMENTSOF(keys); i++) {
        struct throttle_key key = {.max_rate = keys[i].rate,
                                   .kind = keys[i].kind,
                                   .window_sec = keys[i].window_sec},
                            again;
        struct address address;
        uint64_t window;
        char text[FLEET_KEY_MAX];

        ck_assert_int_eq(address_parse(keys[i].client, &address), 0);
        ck_assert(source_of(&address, &key.source));
        fleet_key_format(&key, keys[i].window, text);
        ck_assert_str_eq(text, keys[i].text);
        ck_assert(fleet_key_parse(text, &again, &window));
        ck_assert_mem_eq(&again, &key, sizeof(key));
        ck_assert_uint_eq(window, keys[i].window);
    }
}
END_TEST

START_TEST(test_other_names_are_none)
{
    static const char *const texts[] = {
        "",
        "dispatcherd:{fleet}:state",
        "dispatcherd:{fleet}:full:29933208",
        "dispatcherd:{fleet}:1:c:10:4:c00002f",
        "dispatcherd:{fleet}:1:c:10:4:c00002fff",
        "dispatcherd:{fleet}:1:c:10:4:c00002fg",
        "dispatcherd:{fleet}:1:c:10:4:C00002FF",
        "dispatcherd:{fleet}:1:c:10:6:c00002ff",
        "dispatcherd:{fleet}:1:c:10:5:c00002ff",
        "dispatcherd:{fleet}:1:c:4294967296:4:c00002ff",
        "dispatcherd:{fleet}:1:c::4:c00002ff",
        "dispatcherd:{fleet}:1:c:10/:4:c00002ff",
        "dispatcherd:{fleet}:1:c:10/9:4:c00002ff",
        "dispatcherd:{fleet}:1:c:10/86401:4:c00002ff",
        "dispatcherd:{fleet}:1:x:10:4:c00002ff",
        "dispatcherd:{fleet}:-1:c:10:4:c00002ff",
        "dispatcherd:{fleet}:99999999999999999999:c:10:4:c00002ff",
        "dispatcherd:{fleet}:1:c:10:",
        "dispatcherd:{other}:1:c:10:4:c00002ff",
    };

    for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
        struct throttle_key key;
        uint64_t window;

        ck_assert_msg(!fleet_key_parse(texts[i], &key, &window), "%s", texts[i]);
    }
}
END_TEST

START_TEST(test_open_connections_have_names_too)
{
    static const char name[] = "dispatcherd:{fleet}:open:smtp-a:4:c00002ff";
    static const char *const others[] = {
        "dispatcherd:{fleet}:open::4:c00002ff",
        "dispatcherd:{fleet}:open:smtp:4:c00002f",
        "dispatcherd:{fleet}:open:smtp",
        "dispatcherd:{fleet}:open:a234567890123456789012345678901234:4:c00002ff",
        "dispatcherd:{fleet}:1:c:10:4:c00002ff",
    };
    const struct source source = {.family = AF_INET, .prefix = {192, 0, 2, 255}};
    struct open_key key, again;
    char text[FLEET_KEY_MAX];

    ck_assert(open_key_set(&key, "smtp-a", &source));
    fleet_key_format_open(&key, text);
    ck_assert_str_eq(text, name);
    ck_assert(fleet_key_parse_open(name, &again));
    ck_assert_mem_eq(&again, &key, sizeof(key));
    for (size_t i = 0; i < ELEMENTSOF(others); i++)
        ck_assert_msg(!fleet_key_parse_open(others[i], &again), "%s", others[i]);
}
END_TEST

SUITE("fleet_key", NULL, NULL, test_a_name_says_all_of_the_key, test_other_names_are_none,
      test_open_connections_have_names_too)
