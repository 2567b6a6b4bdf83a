/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "access/proxy_cases.h"
#include "support/random.h"
#include "support/suite.h"

#include "access/proxy_header.h"

#include <stdlib.h>
#include <string.h>

/* Parses a copy of its exact size, so that a sanitizer sees what is read beyond it. */
static enum proxy_header_result parse(const char *bytes, size_t size, struct proxy_header *ret,
                                      const char **ret_fault)
{
    char *copy = malloc(size > 0 ? size : 1);

    ck_assert_ptr_nonnull(copy);
    memcpy(copy, bytes, size);
    enum proxy_header_result result = proxy_header_parse(copy, size, ret, ret_fault);
    free(copy);
    return result;
}

static void assert_address(const char *name, const struct address *address, const char *expected)
{
    char text[ADDRESS_TEXT_MAX];

    if (expected)
        ck_assert_msg(strcmp(address_format(address, text), expected) == 0, "%s: %s", name, text);
    else
        ck_assert_msg(address->family == AF_UNSPEC, "%s", name);
}

START_TEST(test_reads_what_is_valid)
{
    for (size_t i = 0; i < N_PROXY_CASES; i++) {
        const struct proxy_case *c = &proxy_cases[i];
        struct proxy_header header;
        const char *fault = "";

        if (c->fault)
            continue;
        ck_assert_msg(parse(c->bytes, c->size, &header, &fault) == PROXY_HEADER_COMPLETE, "%s: %s",
                      c->name, fault);
        ck_assert_uint_eq(header.length, c->size);
        ck_assert_msg(header.has_addresses == (c->peer != NULL), "%s", c->name);
        assert_address(c->name, &header.peer, c->peer);
        assert_address(c->name, &header.local, c->local);
    }
}
END_TEST

START_TEST(test_says_what_is_wrong)
{
    for (size_t i = 0; i < N_PROXY_CASES; i++) {
        const struct proxy_case *c = &proxy_cases[i];
        struct proxy_header header;
        const char *fault = "";

        if (!c->fault)
            continue;
        ck_assert_msg(parse(c->bytes, c->size, &header, &fault) == PROXY_HEADER_INVALID, "%s",
                      c->name);
        ck_assert_msg(strstr(fault, c->fault) != NULL, "%s: %s", c->name, fault);
    }
}
END_TEST

START_TEST(test_every_beginning_asks_for_more)
{
    for (size_t i = 0; i < N_PROXY_CASES; i++)
        for (size_t size = 0; !proxy_cases[i].fault && size < proxy_cases[i].size; size++) {
            struct proxy_header header;
            const char *fault = "";

            ck_assert_msg(parse(proxy_cases[i].bytes, size, &header, &fault) == PROXY_HEADER_MORE,
                          "%s, %zu bytes: %s", proxy_cases[i].name, size, fault);
        }
}
END_TEST

START_TEST(test_what_follows_is_the_clients)
{
    static const char *const others[] = {"EHLO x\r\n", "\n", "\r\n", "PROXY UNKNOWN\r\n", "\0"};
    char bytes[PROXY_HEADER_MAX_BYTES + 100];

    for (size_t i = 0; i < N_PROXY_CASES; i++)
        for (size_t k = 0; !proxy_cases[i].fault && k < ELEMENTSOF(others); k++) {
            size_t size = proxy_cases[i].size, more = strlen(others[k]) + 1;
            struct proxy_header header;
            const char *fault;

            memcpy(bytes, proxy_cases[i].bytes, size);
            memcpy(bytes + size, others[k], more);
            ck_assert_int_eq(parse(bytes, size + more, &header, &fault), PROXY_HEADER_COMPLETE);
            ck_assert_uint_eq(header.length, size);
        }
}
END_TEST

/* However the bytes are split, the parser asks for more until it has its answer, which is the same
 * for every split, and further bytes do not change it. */
static void assert_consistent(const char *bytes, size_t size)
{
    enum proxy_header_result last = PROXY_HEADER_MORE;
    size_t length = 0;

    for (size_t n = 0; n <= size; n++) {
        struct proxy_header header = {.length = 0};
        const char *fault = NULL;
        enum proxy_header_result result = parse(bytes, n, &header, &fault);

        ck_assert(last == PROXY_HEADER_MORE || result == last);
        if (result == PROXY_HEADER_COMPLETE) {
            length = length > 0 ? length : n;
            ck_assert_uint_eq(header.length, length);
        }
        ck_assert(result != PROXY_HEADER_INVALID || fault);
        last = result;
    }
}

START_TEST(test_random_bytes_do_no_harm)
{
    struct random_source random = random_start();
    char bytes[PROXY_HEADER_MAX_BYTES + 100];

    for (unsigned round = 0; round < 3000; round++) {
        const struct proxy_case *c = &proxy_cases[random_between(&random, 0, N_PROXY_CASES - 1)];
        size_t size = c->size < 300 ? c->size : 300;

        memcpy(bytes, c->bytes, size);
        for (uint64_t n = random_between(&random, 0, 4); n > 0; n--)
            bytes[random_between(&random, 0, size - 1)] = (char)random_next(&random);
        assert_consistent(bytes, size);
    }
}
END_TEST

START_TEST(test_never_asks_for_more_than_its_most)
{
    struct random_source random = random_start();
    char bytes[PROXY_HEADER_MAX_BYTES];
    struct proxy_header header;
    const char *fault;

    for (unsigned round = 0; round < 20000; round++) {
        memset(bytes, 'x', sizeof(bytes));
        memcpy(bytes, V2 "\x21\x11", 14);
        bytes[14] = (char)random_between(&random, 0, 12);
        bytes[15] = (char)random_next(&random);
        ck_assert_int_ne(parse(bytes, sizeof(bytes), &header, &fault), PROXY_HEADER_MORE);
    }
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("PROXY header");

    ADD_TESTS(suite, "cases", test_reads_what_is_valid, test_says_what_is_wrong,
              test_every_beginning_asks_for_more, test_what_follows_is_the_clients);
    ADD_TESTS(suite, "random", test_random_bytes_do_no_harm,
              test_never_asks_for_more_than_its_most);
    return suite;
}
