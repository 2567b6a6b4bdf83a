/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/suite.h"

#include "workers/proxy/header.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"

static struct sockaddr_storage address_of(const char *host, uint16_t port)
{
    struct sockaddr_storage address = {0};
    struct sockaddr_in *ipv4 = (struct sockaddr_in *)(void *)&address;
    struct sockaddr_in6 *ipv6 = (struct sockaddr_in6 *)(void *)&address;

    if (inet_pton(AF_INET, host, &ipv4->sin_addr) == 1) {
        ipv4->sin_family = AF_INET;
        ipv4->sin_port = htons(port);
        return address;
    }
    ck_assert_int_eq(inet_pton(AF_INET6, host, &ipv6->sin6_addr), 1);
    ipv6->sin6_family = AF_INET6;
    ipv6->sin6_port = htons(port);
    return address;
}

static size_t write_for(char header[HEADER_MAX_BYTES], enum header_version version,
                        const char *peer_host, const char *local_host)
{
    struct sockaddr_storage peer = address_of(peer_host, 258), local = address_of(local_host, 25);

    return header_write(header, version, (struct sockaddr *)&peer, (struct sockaddr *)&local,
                        "0123456789abcdef", NULL);
}

START_TEST(test_version_2_of_ipv4)
{
    static const char wanted[] = (SIGNATURE "\x21\x11\0\x1f\x0a\1\2\3\x7f\0\0\1\1\2\0\x19\5\0\x10"
                                            "0123456789abcdef");
    char header[HEADER_MAX_BYTES];

    ck_assert_uint_eq(write_for(header, HEADER_V2, "10.1.2.3", "127.0.0.1"), sizeof(wanted) - 1);
    ck_assert_mem_eq(header, wanted, sizeof(wanted) - 1);
}
END_TEST

START_TEST(test_version_2_of_ipv6)
{
    char header[HEADER_MAX_BYTES];

    ck_assert_uint_eq(write_for(header, HEADER_V2, "2001:db8::7", "::1"), 16 + 36 + 19);
    ck_assert_mem_eq(header + 12, "\x21\x21\0\x37\x20\x01\x0d\xb8", 8);
    ck_assert_mem_eq(header + 16 + 32, "\1\2\0\x19\5\0\x10", 7);
}
END_TEST

START_TEST(test_version_2_with_tls)
{
    static const char wanted[] =
        "\2\0\7one.two\x20\0\x1d\7\0\0\0\0\x21\0\7TLSv1.3\x23\0\3ABC\x22\0\5Me, I";
    const struct tls_facts tls = {.protocol = "TLSv1.3",
                                  .cipher = "ABC",
                                  .server_name = "one.two",
                                  .common_name = "Me, I",
                                  .digest = "00",
                                  .is_verified = true};
    struct sockaddr_storage peer = address_of("10.1.2.3", 258), local = address_of("::1", 25);
    char header[HEADER_MAX_BYTES];

    size_t n = header_write(header, HEADER_V2, (struct sockaddr *)&peer, (struct sockaddr *)&peer,
                            "0123456789abcdef", &tls);
    ck_assert_uint_eq(n, 16 + 12 + 19 + sizeof(wanted) - 1);
    ck_assert_mem_eq(header + 14, "\0\x49", 2);
    ck_assert_mem_eq(header + 16 + 12 + 19, wanted, sizeof(wanted) - 1);
    /* Nobody knows whose it is. */
    n = header_write(header, HEADER_V2, (struct sockaddr *)&peer, (struct sockaddr *)&local, "",
                     &tls);
    ck_assert_uint_eq(n, 16);
}
END_TEST

START_TEST(test_the_longest_of_tls_fits)
{
    struct sockaddr_storage peer = address_of("::1", 258);
    char header[HEADER_MAX_BYTES];
    struct tls_facts tls = {0};

    memset(tls.protocol, 'x', sizeof(tls.protocol) - 1);
    memset(tls.cipher, 'x', sizeof(tls.cipher) - 1);
    memset(tls.server_name, 'x', sizeof(tls.server_name) - 1);
    memset(tls.common_name, 'x', sizeof(tls.common_name) - 1);
    size_t n = header_write(header, HEADER_V2, (struct sockaddr *)&peer, (struct sockaddr *)&peer,
                            "0123456789abcdef0123456789abcdef", &tls);
    ck_assert_uint_lt(n, HEADER_MAX_BYTES);
}
END_TEST

START_TEST(test_version_1)
{
    static const char ipv4[] = "PROXY TCP4 10.1.2.3 127.0.0.1 258 25\r\n";
    static const char ipv6[] = "PROXY TCP6 2001:db8::7 ::1 258 25\r\n";
    char header[HEADER_MAX_BYTES];

    ck_assert_uint_eq(write_for(header, HEADER_V1, "10.1.2.3", "127.0.0.1"), sizeof(ipv4) - 1);
    ck_assert_mem_eq(header, ipv4, sizeof(ipv4) - 1);
    ck_assert_uint_eq(write_for(header, HEADER_V1, "2001:db8::7", "::1"), sizeof(ipv6) - 1);
    ck_assert_mem_eq(header, ipv6, sizeof(ipv6) - 1);
}
END_TEST

START_TEST(test_the_longest_fit)
{
    static const char host[] = "1111:2222:3333:4444:5555:6666:7777:8888";
    char header[HEADER_MAX_BYTES];

    ck_assert_uint_lt(write_for(header, HEADER_V1, host, host), HEADER_MAX_BYTES);
    ck_assert_uint_lt(write_for(header, HEADER_V2, host, host), HEADER_MAX_BYTES);
}
END_TEST

START_TEST(test_what_is_no_pair_is_unknown)
{
    char header[HEADER_MAX_BYTES];

    ck_assert_uint_eq(write_for(header, HEADER_V1, "10.1.2.3", "::1"), 15);
    ck_assert_mem_eq(header, "PROXY UNKNOWN\r\n", 15);
    ck_assert_uint_eq(write_for(header, HEADER_V2, "10.1.2.3", "::1"), 16);
    ck_assert_mem_eq(header + 12, "\x21\0\0\0", 4);
}
END_TEST

START_TEST(test_nobody)
{
    char header[HEADER_MAX_BYTES];

    ck_assert_uint_eq(header_write_local(header, HEADER_V2), 16);
    ck_assert_mem_eq(header, SIGNATURE "\x20\0\0\0", 16);
    ck_assert_uint_eq(header_write_local(header, HEADER_V1), 15);
    ck_assert_uint_eq(header_write_local(header, HEADER_NONE), 0);
    ck_assert_uint_eq(write_for(header, HEADER_NONE, "10.1.2.3", "127.0.0.1"), 0);
}
END_TEST

SUITE("proxy header", NULL, NULL, test_version_2_of_ipv4, test_version_2_of_ipv6,
      test_version_2_with_tls, test_the_longest_of_tls_fits, test_version_1, test_the_longest_fit,
      test_what_is_no_pair_is_unknown, test_nobody)
