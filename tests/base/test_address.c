/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/suite.h"

#include "base/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

START_TEST(test_reads_and_writes_the_text_forms)
{
    static const struct {
        const char *text, *host, *full;
    } cases[] = {
        {"192.0.2.1", "192.0.2.1", "192.0.2.1:25"},
        {"0.0.0.0", "0.0.0.0", "0.0.0.0:25"},
        {"2001:DB8::0:1", "2001:db8::1", "[2001:db8::1]:25"},
        {"[::1]", "::1", "[::1]:25"},
        {"::", "::", "[::]:25"},
    };
    char text[ADDRESS_TEXT_MAX];

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct address a;

        ck_assert_int_eq(address_parse(cases[i].text, &a), 0);
        a.port = 25;
        ck_assert_str_eq(address_format_host(&a, text), cases[i].host);
        ck_assert_str_eq(address_format(&a, text), cases[i].full);
    }
}
END_TEST

START_TEST(test_refuses_what_is_no_address)
{
    static const char *const texts[] = {"",     "1.2.3", "1.2.3.4.5", "[1.2.3.4]",
                                        "host", "::1::", "[::1",      "::1]",
                                        "[]",   " ::1",  "::1%lo",    "1.2.3.4:25"};
    struct address untouched = {.family = 77}, a = untouched;

    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        ck_assert_msg(address_parse(texts[i], &a) == -EINVAL, "'%s' was taken", texts[i]);
        ck_assert(address_equal(&a, &untouched));
    }
}
END_TEST

START_TEST(test_shows_a_mapped_address_as_ipv4)
{
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(40000)};
    char text[ADDRESS_TEXT_MAX];

    inet_pton(AF_INET6, "::ffff:192.0.2.7", &in6.sin6_addr);
    struct address a = address_from_sockaddr((struct sockaddr *)&in6, sizeof(in6));
    ck_assert_str_eq(address_format(&a, text), "192.0.2.7:40000");
}
END_TEST

START_TEST(test_goes_to_the_kernels_form_and_back)
{
    static const char *const texts[] = {"192.0.2.1", "2001:db8::1"};

    for (size_t i = 0; i < 2; i++) {
        struct sockaddr_storage storage;
        struct address a;

        ck_assert_int_eq(address_parse(texts[i], &a), 0);
        a.port = 2525;
        socklen_t length = address_to_sockaddr(&a, &storage);
        struct address b = address_from_sockaddr((struct sockaddr *)&storage, length);
        ck_assert(address_equal(&a, &b));
    }
}
END_TEST

START_TEST(test_knows_what_it_does_not_know)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr sa = {.sa_family = AF_APPLETALK};
    char text[ADDRESS_TEXT_MAX];

    struct address cut = address_from_sockaddr((struct sockaddr *)&in, 4);
    ck_assert_int_eq(cut.family, AF_UNSPEC);
    struct address other = address_from_sockaddr(&sa, sizeof(sa));
    ck_assert_str_eq(address_format(&other, text), "unknown");
    struct sockaddr_storage storage;
    ck_assert_uint_eq(address_to_sockaddr(&other, &storage), 0);
}
END_TEST

SUITE("address", NULL, NULL, test_reads_and_writes_the_text_forms, test_refuses_what_is_no_address,
      test_shows_a_mapped_address_as_ipv4, test_goes_to_the_kernels_form_and_back,
      test_knows_what_it_does_not_know)
