/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/random.h"
#include "support/suite.h"

#include "base/macro.h"
#include "dns/dns_list.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#define N_CASES 20000

static struct address address_of(const char *text)
{
    struct address address;

    ck_assert_int_eq(address_parse(text, &address), 0);
    return address;
}

static const struct {
    const char *client;
    const char *zone;
    const char *name;
} names[] = {
    {"198.51.100.7", "zen.example", "7.100.51.198.zen.example"},
    {"::ffff:198.51.100.7", "zen.example", "7.100.51.198.zen.example"},
    {"2001:db8::1", "z", "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.z"},
    {"fedc:ba98:7654:3210:123:4567:89ab:cdef", "z",
     "f.e.d.c.b.a.9.8.7.6.5.4.3.2.1.0.0.1.2.3.4.5.6.7.8.9.a.b.c.d.e.f.z"},
};

START_TEST(test_query_names)
{
    char name[DNS_NAME_MAX + 1];
    struct address client = address_of(names[_i].client);

    ck_assert_int_eq(dns_list_query_name(&client, names[_i].zone, name), 0);
    ck_assert_str_eq(name, names[_i].name);
}
END_TEST

START_TEST(test_mapped_bytes_are_asked_as_ipv4)
{
    char name[DNS_NAME_MAX + 1];
    struct address client = {.family = AF_INET6,
                             .bytes = {[10] = 0xff, [11] = 0xff, [12] = 192, 0, 2, 5}};

    ck_assert_int_eq(dns_list_query_name(&client, "z", name), 0);
    ck_assert_str_eq(name, "5.2.0.192.z");
    ck_assert(!dns_list_never_asks(&client));
    client.bytes[12] = 10;
    ck_assert(dns_list_never_asks(&client));
}
END_TEST

START_TEST(test_the_longest_zone_fits)
{
    char zone[DNS_ZONE_MAX + 2], read[DNS_ZONE_MAX + 1], name[DNS_NAME_MAX + 1];
    struct address client = address_of("2001:db8::1");

    memset(zone, 'a', sizeof(zone));
    for (size_t i = 50; i < DNS_ZONE_MAX; i += 50)
        zone[i] = '.';
    zone[DNS_ZONE_MAX + 1] = '\0';
    ck_assert_int_eq(dns_list_read_zone(zone, read), -EINVAL);
    zone[DNS_ZONE_MAX] = '.';
    ck_assert_int_eq(dns_list_read_zone(zone, read), 0);
    ck_assert_int_eq(dns_list_query_name(&client, read, name), 0);
    ck_assert_uint_eq(strlen(name), DNS_NAME_MAX);
}
END_TEST

static const struct {
    const char *text;
    const char *zone; /* NULL: it is none */
} zones[] = {
    {"zen.example", "zen.example"},
    {"ZEN.Example.", "zen.example"},
    {"list", "list"},
    {"_a-b.c1", "_a-b.c1"},
    {"", NULL},
    {".", NULL},
    {"..", NULL},
    {".a", NULL},
    {"a..b", NULL},
    {"a.b..", NULL},
    {"a b", NULL},
    {"a,b", NULL},
    {"a$b", NULL},
    {"\xc3\xa4.example", NULL},
    {"192.0.2.1", NULL},
    {"192.0.2.1.", NULL},
    {"2001:db8::1", NULL},
    {"abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghij1234.z", NULL},
};

START_TEST(test_reads_zones)
{
    char zone[DNS_ZONE_MAX + 1];
    int r = dns_list_read_zone(zones[_i].text, zone);

    ck_assert_int_eq(r, zones[_i].zone ? 0 : -EINVAL);
    if (r == 0)
        ck_assert_str_eq(zone, zones[_i].zone);
}
END_TEST

START_TEST(test_zones_of_random_bytes_are_safe)
{
    struct random_source source = random_start();
    static const char bytes[] = "aZ09-_..  \x80$";
    char text[DNS_ZONE_MAX + 10], zone[DNS_ZONE_MAX + 1], again[DNS_ZONE_MAX + 1];

    for (int i = 0; i < N_CASES; i++) {
        size_t length = random_between(&source, 0, i % 2 ? 12 : sizeof(text) - 1);
        size_t n_bytes = i % 3 ? 7 : sizeof(bytes) - 1;
        for (size_t j = 0; j < length; j++)
            text[j] = bytes[random_between(&source, 0, n_bytes - 1)];
        text[length] = '\0';
        if (dns_list_read_zone(text, zone) < 0)
            continue;
        ck_assert_int_eq(dns_list_read_zone(zone, again), 0);
        ck_assert_str_eq(zone, again);
    }
}
END_TEST

static const struct {
    const char *client;
    bool is_never_asked;
} clients[] = {
    {"127.0.0.1", true},
    {"127.255.255.255", true},
    {"10.0.0.1", true},
    {"11.0.0.0", false},
    {"9.255.255.255", false},
    {"172.15.255.255", false},
    {"172.16.0.0", true},
    {"172.31.255.255", true},
    {"172.32.0.0", false},
    {"192.168.0.1", true},
    {"192.167.255.255", false},
    {"192.169.0.0", false},
    {"169.254.1.1", true},
    {"169.253.1.1", false},
    {"100.63.255.255", false},
    {"100.64.0.0", true},
    {"100.127.255.255", true},
    {"100.128.0.0", false},
    {"0.0.0.0", true},
    {"198.51.100.7", false},
    {"192.0.2.1", false},
    {"::1", true},
    {"::", true},
    {"::2", false},
    {"fe80::1", true},
    {"febf::1", true},
    {"fec0::1", true},
    {"fc00::1", true},
    {"fdff::1", true},
    {"fbff::1", false},
    {"2001:db8::1", false},
    {"::ffff:10.0.0.1", true},
    {"::ffff:192.0.2.1", false},
};

START_TEST(test_who_is_never_asked)
{
    struct address client = address_of(clients[_i].client);

    ck_assert_int_eq(dns_list_never_asks(&client), clients[_i].is_never_asked);
}
END_TEST

START_TEST(test_what_is_no_ip_address_is_never_asked)
{
    char name[DNS_NAME_MAX + 1];
    const struct address unix_client = {.family = AF_UNIX};
    const struct address unknown = {.family = AF_UNSPEC};

    ck_assert(dns_list_never_asks(&unix_client));
    ck_assert(dns_list_never_asks(&unknown));
    ck_assert_int_eq(dns_list_query_name(&unix_client, "z", name), -EINVAL);
}
END_TEST

/* The table of dispatcher.cnf(5), DNS_VERIFY_DOMAIN. */
static const struct {
    const char *address;
    enum dns_answer meaning;
} meanings[] = {
    {"127.0.0.2", DNS_ANSWER_LISTED},
    {"127.0.0.255", DNS_ANSWER_LISTED},
    {"127.1.0.0", DNS_ANSWER_LISTED},
    {"127.255.254.255", DNS_ANSWER_LISTED},
    {"127.0.0.1", DNS_ANSWER_NOT_A_LIST},
    {"127.0.0.0", DNS_ANSWER_NOT_A_LIST},
    {"127.255.255.0", DNS_ANSWER_REFUSED_CODE},
    {"127.255.255.254", DNS_ANSWER_REFUSED_CODE},
    {"127.255.255.255", DNS_ANSWER_REFUSED_CODE},
    {"126.255.255.255", DNS_ANSWER_NOT_A_LIST},
    {"128.0.0.2", DNS_ANSWER_NOT_A_LIST},
    {"8.8.8.8", DNS_ANSWER_NOT_A_LIST},
    {"0.0.0.0", DNS_ANSWER_NOT_A_LIST},
};

START_TEST(test_meanings)
{
    struct in_addr address = {.s_addr = inet_addr(meanings[_i].address)};

    ck_assert_int_eq(dns_list_meaning(address), meanings[_i].meaning);
}
END_TEST

START_TEST(test_rejections)
{
    ck_assert_str_eq(dns_list_rejection(25),
                     "500 5.7.1 access_control: host found on DNS list and rejected\r\n");
    ck_assert_str_eq(dns_list_rejection(110),
                     "-ERR access_control: host found on DNS list and rejected\r\n");
    ck_assert_str_eq(dns_list_rejection(143),
                     "* BYE access_control: host found on DNS list and rejected\r\n");
    ck_assert_str_eq(dns_list_rejection(587), "");
    ck_assert_str_eq(dns_list_rejection(0), "");
}
END_TEST

START_TEST(test_cleans_text)
{
    char text[DNS_TEXT_MAX + 1];

    ck_assert_uint_eq(dns_list_clean_text("  a\r\nb\0c\xc3\xa4\x7f \t", 13, text), 11);
    ck_assert_str_eq(text, "a??b?c??? ?");
    ck_assert_uint_eq(dns_list_clean_text("    ", 4, text), 0);
    ck_assert_str_eq(text, "");
    ck_assert_uint_eq(dns_list_clean_text(NULL, 0, text), 0);
    ck_assert_uint_eq(dns_list_clean_text(" listed ", 8, text), 6);
    ck_assert_str_eq(text, "listed");
}
END_TEST

START_TEST(test_clean_text_is_one_short_line)
{
    struct random_source source = random_start();
    unsigned char bytes[2 * DNS_TEXT_MAX];
    char text[DNS_TEXT_MAX + 1];

    for (int i = 0; i < N_CASES; i++) {
        size_t size = random_between(&source, 0, sizeof(bytes));
        for (size_t j = 0; j < size; j++)
            bytes[j] = (unsigned char)random_next(&source);
        size_t length = dns_list_clean_text(bytes, size, text);
        ck_assert_uint_eq(strlen(text), length);
        ck_assert_uint_le(length, DNS_TEXT_MAX);
        /* One assertion: each costs a system call. */
        bool is_printable = true;
        for (size_t j = 0; j < length; j++)
            is_printable &= text[j] >= ' ' && text[j] <= '~';
        ck_assert(is_printable);
        ck_assert(length == 0 || (text[0] != ' ' && text[length - 1] != ' '));
    }
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("dns_list");
    TCase *tables = tcase_create("tables");

    tcase_add_loop_test(tables, test_query_names, 0, (int)ELEMENTSOF(names));
    tcase_add_loop_test(tables, test_reads_zones, 0, (int)ELEMENTSOF(zones));
    tcase_add_loop_test(tables, test_who_is_never_asked, 0, (int)ELEMENTSOF(clients));
    tcase_add_loop_test(tables, test_meanings, 0, (int)ELEMENTSOF(meanings));
    suite_add_tcase(suite, tables);
    ADD_TESTS(suite, "rules", test_mapped_bytes_are_asked_as_ipv4, test_the_longest_zone_fits,
              test_what_is_no_ip_address_is_never_asked, test_rejections, test_cleans_text);
    ADD_TESTS(suite, "properties", test_zones_of_random_bytes_are_safe,
              test_clean_text_is_one_short_line);
    return suite;
}
