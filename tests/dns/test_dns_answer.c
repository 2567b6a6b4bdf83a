/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/random.h"
#include "support/suite.h"

#include "base/macro.h"
#include "dns/dns_answer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

enum {
    TYPE_CNAME = 5,
    TYPE_SOA = 6
};

/* A message in the making: a question for "z", and records of that name. */
static uint8_t bytes[2048];
static size_t length;

static void put(const void *data, size_t size)
{
    memcpy(bytes + length, data, size);
    length += size;
}

static void begin(uint8_t rcode)
{
    const uint8_t head[] = {
        0, 1, 0x81, (uint8_t)(0x80 | rcode), 0, 1, 0, 0, 0, 0, 0, 0, 1, 'z', 0, 0, 1, 0, 1};

    length = 0;
    put(head, sizeof(head));
}

/* `count`: the place of the section's number in the head. */
static void record(size_t count, uint8_t type, uint32_t ttl, const void *data, size_t size)
{
    const uint8_t head[] = {0xc0, 12, 0, type, 0, 1};
    const uint32_t ttl_sent = htonl(ttl);
    const uint16_t size_sent = htons((uint16_t)size);

    put(head, sizeof(head));
    put(&ttl_sent, sizeof(ttl_sent));
    put(&size_sent, sizeof(size_sent));
    put(data, size);
    bytes[count]++;
}

static void address(const char *text, uint32_t ttl)
{
    in_addr_t value = inet_addr(text);

    record(7, DNS_TYPE_A, ttl, &value, sizeof(value));
}

static struct dns_fact read_fact(enum dns_type type)
{
    struct dns_fact fact;

    ck_assert_int_eq(dns_answer_read(bytes, length, type, &fact), 0);
    return fact;
}

START_TEST(test_the_gravest_address_counts)
{
    begin(0);
    address("8.8.8.8", 300);
    ck_assert_int_eq(read_fact(DNS_TYPE_A).meaning, DNS_ANSWER_NOT_A_LIST);
    address("127.255.255.254", 300);
    ck_assert_int_eq(read_fact(DNS_TYPE_A).meaning, DNS_ANSWER_REFUSED_CODE);
    address("127.0.0.4", 300);
    ck_assert_int_eq(read_fact(DNS_TYPE_A).meaning, DNS_ANSWER_LISTED);
    address("127.0.0.1", 300);
    ck_assert_int_eq(read_fact(DNS_TYPE_A).meaning, DNS_ANSWER_LISTED);
}
END_TEST

static const struct {
    uint32_t sent, kept;
} ttls[] = {
    {0, DNS_TTL_MIN_SEC},
    {1, 1},
    {300, 300},
    {3600, 3600},
    {3601, DNS_TTL_MAX_SEC},
    {INT32_MAX, DNS_TTL_MAX_SEC},
    {UINT32_MAX, DNS_TTL_MIN_SEC},
};

START_TEST(test_the_time_is_bounded)
{
    begin(0);
    address("127.0.0.2", ttls[_i].sent);
    ck_assert_uint_eq(read_fact(DNS_TYPE_A).ttl_sec, ttls[_i].kept);
}
END_TEST

START_TEST(test_the_shortest_time_counts)
{
    begin(0);
    record(7, TYPE_CNAME, 7, "\xc0\x0c", 2);
    address("127.0.0.2", 300);
    ck_assert_uint_eq(read_fact(DNS_TYPE_A).ttl_sec, 7);
    ck_assert_int_eq(read_fact(DNS_TYPE_A).meaning, DNS_ANSWER_LISTED);
}
END_TEST

START_TEST(test_what_is_no_verdict_is_soon_forgotten)
{
    begin(0);
    address("8.8.8.8", 3600);
    ck_assert_uint_eq(read_fact(DNS_TYPE_A).ttl_sec, DNS_TTL_DEFAULT_SEC);
}
END_TEST

START_TEST(test_no_is_kept_as_long_as_the_soa_says)
{
    uint8_t soa[22] = {0xc0, 12, 1, 'h', 0}; /* the rest is serial and such */
    uint32_t minimum = htonl(120);

    memcpy(soa + sizeof(soa) - sizeof(minimum), &minimum, sizeof(minimum));
    begin(3);
    ck_assert_uint_eq(read_fact(DNS_TYPE_A).ttl_sec, DNS_TTL_DEFAULT_SEC);
    record(9, TYPE_SOA, 900, soa, sizeof(soa));
    ck_assert_uint_eq(read_fact(DNS_TYPE_A).ttl_sec, 120);
    ck_assert_int_eq(read_fact(DNS_TYPE_A).meaning, DNS_ANSWER_CLEAN);
    begin(0);
    record(9, TYPE_SOA, 30, soa, sizeof(soa));
    ck_assert_uint_eq(read_fact(DNS_TYPE_A).ttl_sec, 30);
}
END_TEST

/* Some servers of the world answer "no such name" with addresses of an advertisement. */
START_TEST(test_no_such_name_is_no_whatever_comes_with_it)
{
    begin(3);
    address("127.0.0.2", 300);
    ck_assert_int_eq(read_fact(DNS_TYPE_A).meaning, DNS_ANSWER_CLEAN);
}
END_TEST

START_TEST(test_reads_texts)
{
    begin(0);
    record(7, DNS_TYPE_TXT, 300, "\1 \0", 3);
    ck_assert_str_eq(read_fact(DNS_TYPE_TXT).text, "");
    record(7, DNS_TYPE_TXT, 300, "\3see\5 this", 10);
    record(7, DNS_TYPE_TXT, 300, "\5other", 6);
    ck_assert_str_eq(read_fact(DNS_TYPE_TXT).text, "see this");
    begin(0);
    record(7, DNS_TYPE_TXT, 300,
           "\2ok\xff"
           "lies",
           8);
    ck_assert_str_eq(read_fact(DNS_TYPE_TXT).text, "ok");
}
END_TEST

START_TEST(test_failures_are_none_of_it)
{
    struct dns_fact fact;

    for (uint8_t rcode = 1; rcode < 16; rcode++) {
        begin(rcode);
        address("127.0.0.2", 300);
        ck_assert_int_eq(dns_answer_read(bytes, length, DNS_TYPE_A, &fact),
                         rcode == 3 ? 0 : -EREMOTEIO);
    }
}
END_TEST

START_TEST(test_half_a_message_is_none)
{
    struct dns_fact fact;

    begin(0);
    address("127.0.0.2", 300);
    for (size_t size = 0; size < length; size++)
        ck_assert_int_eq(dns_answer_read(bytes, size, DNS_TYPE_A, &fact), -EBADMSG);
    bytes[2] = 1; /* a question */
    ck_assert_int_eq(dns_answer_read(bytes, length, DNS_TYPE_A, &fact), -EBADMSG);
}
END_TEST

START_TEST(test_flipped_bytes_do_no_harm)
{
    struct random_source source = random_start();
    struct dns_fact fact;

    for (int i = 0; i < 20000; i++) {
        enum dns_type type = i % 2 ? DNS_TYPE_A : DNS_TYPE_TXT;
        begin(0);
        address("127.0.0.2", 300);
        record(7, DNS_TYPE_TXT, 300, "\3see\5 this", 10);
        for (uint64_t n = random_between(&source, 1, 4); n > 0; n--)
            bytes[random_between(&source, 0, length - 1)] = (uint8_t)random_next(&source);
        if (dns_answer_read(bytes, length, type, &fact) < 0)
            continue;
        ck_assert_uint_ge(fact.ttl_sec, DNS_TTL_MIN_SEC);
        ck_assert_uint_le(fact.ttl_sec, DNS_TTL_MAX_SEC);
        ck_assert(type == DNS_TYPE_A ? fact.text[0] == '\0' : fact.meaning == DNS_ANSWER_CLEAN);
    }
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("dns_answer");
    TCase *tables = tcase_create("tables");

    tcase_add_loop_test(tables, test_the_time_is_bounded, 0, (int)ELEMENTSOF(ttls));
    suite_add_tcase(suite, tables);
    ADD_TESTS(suite, "answers", test_the_gravest_address_counts, test_the_shortest_time_counts,
              test_what_is_no_verdict_is_soon_forgotten, test_no_is_kept_as_long_as_the_soa_says,
              test_no_such_name_is_no_whatever_comes_with_it, test_reads_texts);
    ADD_TESTS(suite, "faults", test_failures_are_none_of_it, test_half_a_message_is_none,
              test_flipped_bytes_do_no_harm);
    return suite;
}
