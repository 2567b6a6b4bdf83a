/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/random.h"
#include "support/suite.h"

#include "base/macro.h"
#include "files/networks.h"

#include <stdio.h>
#include <string.h>

static struct address address_of(const char *text)
{
    struct address address;

    ck_assert_msg(address_parse(text, &address) == 0, "%s", text);
    return address;
}

START_TEST(test_reads_networks_and_writes_them_the_same)
{
    static const struct {
        const char *text, *written;
    } cases[] = {
        {"192.0.2.0/24", "192.0.2.0/24"},
        {"192.0.2.1", "192.0.2.1"},
        {"192.0.2.1/32", "192.0.2.1"},
        {"0.0.0.0/0", "0.0.0.0/0"},
        {"192.0.2.128/25", "192.0.2.128/25"},
        {"2001:DB8::/32", "2001:db8::/32"},
        {"2001:db8::1", "2001:db8::1"},
        {"::/0", "::/0"},
        {"::1/128", "::1"},
        {"fe80::/10", "fe80::/10"},
        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe/127",
         "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe/127"},
    };
    char reason[NETWORK_REASON_MAX], text[NETWORK_TEXT_MAX];
    struct ip_network network;

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        ck_assert_msg(ip_network_parse(cases[i].text, &network, reason) == 0, "%s: %s",
                      cases[i].text, reason);
        ck_assert_str_eq(ip_network_format(&network, text), cases[i].written);
    }
}
END_TEST

START_TEST(test_says_what_would_be_right)
{
    static const struct {
        const char *text, *reason;
    } cases[] = {
        {"", "'' is not a network"},
        {"/24", "'/24' is not a network"},
        {"proxy.example",
         "'proxy.example' is not an address; a network is written as 192.0.2.0/24"},
        {"192.0.2/24", "'192.0.2' is not an address"},
        {"[::1]", "'[::1]' is not an address"},
        {"192.0.2.0/33", "'33' is not a prefix length; after the / there must be 0 to 32"},
        {"192.0.2.0/", "'' is not a prefix length"},
        {"192.0.2.0/024", "'024' is not a prefix length"},
        {"192.0.2.0/-1", "'-1' is not a prefix length"},
        {"192.0.2.0/24/24", "'24/24' is not a prefix length"},
        {"192.0.2.0/255.255.255.0", "'255.255.255.0' is not a prefix length"},
        {"2001:db8::/129", "'129' is not a prefix length; after the / there must be 0 to 128"},
        {"2001:db8::/99999999999999999999", "is not a prefix length"},
        {"192.0.2.1/24", "the network is 192.0.2.0/24, the address alone 192.0.2.1"},
        {"2001:db8::1/64", "the network is 2001:db8::/64, the address alone 2001:db8::1"},
        {"::ffff:192.0.2.1", "write it as 192.0.2.1"},
    };
    char reason[NETWORK_REASON_MAX];
    struct ip_network network;

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        ck_assert_msg(ip_network_parse(cases[i].text, &network, reason) < 0, "%s", cases[i].text);
        ck_assert_msg(strstr(reason, cases[i].reason) != NULL, "%s: %s", cases[i].text, reason);
    }
}
END_TEST

START_TEST(test_reads_lists)
{
    static const struct {
        const char *text;
        size_t n_items;
        const char *reason;
    } cases[] = {
        {"", 0, NULL},
        {" \t", 0, NULL},
        {"192.0.2.0/24, 2001:db8::/32 ,\t127.0.0.1", 3, NULL},
        {"127.0.0.1,127.0.0.1", 2, NULL},
        {",", 0, "a network is missing"},
        {"127.0.0.1,", 0, "a network is missing"},
        {"127.0.0.1 ::1", 0, "'127.0.0.1 ::1' is not an address"},
        {"127.0.0.1,x", 0, "'x' is not an address"},
    };
    char reason[NETWORK_REASON_MAX];

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        struct network_list list = {0}, copy;
        int r = network_list_parse(cases[i].text, &list, reason);

        ck_assert_msg((r == 0) == !cases[i].reason, "%s", cases[i].text);
        if (cases[i].reason)
            ck_assert_msg(strstr(reason, cases[i].reason) != NULL, "%s: %s", cases[i].text, reason);
        ck_assert_uint_eq(list.n_items, cases[i].n_items);
        ck_assert_int_eq(network_list_copy(&list, &copy), 0);
        network_list_clear(&list);
        ck_assert_uint_eq(copy.n_items, cases[i].n_items);
        network_list_clear(&copy);
    }
}
END_TEST

START_TEST(test_a_list_has_an_end)
{
    char reason[NETWORK_REASON_MAX], text[20 * (NETWORKS_MAX + 1)] = "";
    struct network_list list;

    for (int i = 0; i < NETWORKS_MAX; i++)
        snprintf(text + strlen(text), 20, "%s10.0.0.%d", i > 0 ? "," : "", i);
    ck_assert_int_eq(network_list_parse(text, &list, reason), 0);
    ck_assert_uint_eq(list.n_items, NETWORKS_MAX);
    network_list_clear(&list);
    strcat(text, ",::1");
    ck_assert_int_lt(network_list_parse(text, &list, reason), 0);
    ck_assert_ptr_nonnull(strstr(reason, "at most 256 networks"));
}
END_TEST

START_TEST(test_contains_what_the_prefix_says)
{
    static const struct {
        const char *networks, *address;
        bool is_inside;
    } cases[] = {
        {"192.0.2.0/24", "192.0.2.0", true},
        {"192.0.2.0/24", "192.0.2.255", true},
        {"192.0.2.0/24", "192.0.3.0", false},
        {"192.0.2.128/25", "192.0.2.127", false},
        {"192.0.2.1", "192.0.2.1", true},
        {"192.0.2.1", "192.0.2.2", false},
        {"0.0.0.0/0", "255.255.255.255", true},
        {"0.0.0.0/0", "::", false},
        {"::/0", "2001:db8::1", true},
        {"::/0", "192.0.2.1", false},
        {"2001:db8::/32", "2001:db8:ffff::1", true},
        {"2001:db8::/32", "2001:db9::", false},
        {"2001:db8::/33", "2001:db8:8000::", false},
        {"::1,127.0.0.1", "127.0.0.1", true},
        {"", "127.0.0.1", false},
    };
    const struct address local = {.family = AF_UNIX}, unknown = {.family = AF_UNSPEC};
    char reason[NETWORK_REASON_MAX];

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        struct address address = address_of(cases[i].address);
        struct network_list list;

        ck_assert_int_eq(network_list_parse(cases[i].networks, &list, reason), 0);
        address.port = 2525; /* does not matter */
        ck_assert_msg(network_list_contains(&list, &address) == cases[i].is_inside, "%s in %s",
                      cases[i].address, cases[i].networks);
        ck_assert(!network_list_contains(&list, &local));
        ck_assert(!network_list_contains(&list, &unknown));
        network_list_clear(&list);
    }
}
END_TEST

START_TEST(test_random_addresses_are_inside_where_their_first_bits_agree)
{
    struct random_source random = random_start();
    char reason[NETWORK_REASON_MAX], text[NETWORK_TEXT_MAX];

    for (unsigned round = 0; round < 20000; round++) {
        struct ip_network network = {0}, again;
        bool is_ipv4 = random_next(&random) % 2;
        unsigned n_bits = is_ipv4 ? 32 : 128, flipped;

        network.address.family = is_ipv4 ? AF_INET : AF_INET6;
        network.prefix_bits = (unsigned)random_between(&random, 0, n_bits);
        for (unsigned i = 0; i < network.prefix_bits; i++)
            if (random_next(&random) % 2)
                network.address.bytes[i / 8] |= (uint8_t)(0x80 >> i % 8);
        struct address address = network.address;
        for (unsigned i = network.prefix_bits; i < n_bits; i++)
            if (random_next(&random) % 2)
                address.bytes[i / 8] |= (uint8_t)(0x80 >> i % 8);
        ck_assert(ip_network_contains(&network, &address));
        flipped = (unsigned)random_between(&random, 0, n_bits - 1);
        address.bytes[flipped / 8] ^= (uint8_t)(0x80 >> flipped % 8);
        ck_assert_int_eq(ip_network_contains(&network, &address), flipped >= network.prefix_bits);
        ip_network_format(&network, text);
        if (ip_network_parse(text, &again, reason) == 0) {
            ck_assert(address_equal(&again.address, &network.address));
            ck_assert_uint_eq(again.prefix_bits, network.prefix_bits);
        } else {
            ck_assert_msg(strstr(reason, "in IPv6 form") != NULL, "%s: %s", text, reason);
        }
    }
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("networks");

    ADD_TESTS(suite, "text", test_reads_networks_and_writes_them_the_same,
              test_says_what_would_be_right, test_reads_lists, test_a_list_has_an_end);
    ADD_TESTS(suite, "match", test_contains_what_the_prefix_says,
              test_random_addresses_are_inside_where_their_first_bits_agree);
    return suite;
}
