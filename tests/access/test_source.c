/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "access/source.h"
#include "base/macro.h"
#include "support/suite.h"

#include <string.h>

START_TEST(test_texts_are_of_the_address_or_its_network)
{
    static const struct {
        const char *address, *text;
    } cases[] = {
        {"192.0.2.1", "192.0.2.1"},
        {"255.255.255.255", "255.255.255.255"},
        {"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"},
        {"2001:db8::1", "2001:db8::/64"},
        {"::1", "::/64"},
        {"ffff:ffff:ffff:ffff::1", "ffff:ffff:ffff:ffff::/64"},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        struct address address;
        struct source source;
        char text[SOURCE_TEXT_MAX];

        ck_assert_int_eq(address_parse(cases[i].address, &address), 0);
        ck_assert(source_of(&address, &source));
        ck_assert_str_eq(source_format(&source, text), cases[i].text);
    }
}
END_TEST

START_TEST(test_a_unix_socket_has_no_source)
{
    const struct address address = {.family = AF_UNIX};
    struct source source;

    ck_assert(!source_of(&address, &source));
}
END_TEST

SUITE("source", NULL, NULL, test_texts_are_of_the_address_or_its_network,
      test_a_unix_socket_has_no_source)
