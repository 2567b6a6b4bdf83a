/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/suite.h"

#include "base/macro.h"
#include "config/interface_address.h"

#include <string.h>

START_TEST(test_reads_addresses_with_and_without_zone)
{
    static const struct {
        const char *text, *printed;
    } cases[] = {
        {"192.0.2.1", "192.0.2.1"},
        {"2001:DB8::1", "2001:db8::1"},
        {"[2001:db8::1]", "2001:db8::1"},
        {"fe80::1%eth0", "fe80::1%eth0"},
        {"[fe80::1%eth0]", "fe80::1%eth0"},
        {"fe80::1%2", "fe80::1%2"},
        {"febf::1%br-0a1b2c3d4e5", "febf::1%br-0a1b2c3d4e5"},
        {"fe80::1", "fe80::1"},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        struct interface_address address;
        char text[INTERFACE_ADDRESS_TEXT_MAX];
        const char *fault = interface_address_parse(cases[i].text, &address);

        ck_assert_msg(!fault, "%s: %s", cases[i].text, fault);
        ck_assert_str_eq(interface_address_format(&address, text), cases[i].printed);
    }
}
END_TEST

START_TEST(test_refuses_zones_that_can_be_none)
{
    static const struct {
        const char *text, *fault;
    } cases[] = {
        {"192.0.2.1%eth0", "only a link-local"},
        {"2001:db8::1%eth0", "only a link-local"},
        {"fe80::1%", "name of an interface"},
        {"fe80::1%a b", "name of an interface"},
        {"fe80::1%a%b", "name of an interface"},
        {"fe80::1%abcdefghijklmnop", "name of an interface"},
        {"fe80::1%eth0\n", "name of an interface"},
        {"%eth0", "is written as"},
        {"fe80::1]%eth0", "is written as"},
        {"eth0", "is written as"},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        struct interface_address address;
        const char *fault = interface_address_parse(cases[i].text, &address);

        ck_assert_msg(fault && strstr(fault, cases[i].fault), "%s: %s", cases[i].text, fault);
    }
}
END_TEST

START_TEST(test_finds_the_interface_when_it_is_asked_for)
{
    struct interface_address address;

    ck_assert_ptr_null(interface_address_parse("fe80::1%lo", &address));
    ck_assert_uint_eq(address.address.scope_id, 0);
    ck_assert_uint_eq(interface_address_now(&address).scope_id, if_nametoindex("lo"));
    ck_assert_ptr_null(interface_address_parse("fe80::1%no-such-one", &address));
    ck_assert_uint_eq(interface_address_now(&address).scope_id, 0);
    ck_assert_ptr_null(interface_address_parse("fe80::1%17", &address));
    ck_assert_uint_eq(interface_address_now(&address).scope_id, 17);
}
END_TEST

SUITE("interface_address", NULL, NULL, test_reads_addresses_with_and_without_zone,
      test_refuses_zones_that_can_be_none, test_finds_the_interface_when_it_is_asked_for)
