/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What goes to the store, word for word: RESP, an array of strings for each command. */
#include "support/suite.h"

#include "base/macro.h"
#include "dispatcherd/fleet/fleet_key.h"
#include "dispatcherd/fleet/request.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef HAVE_HIREDIS
#define SHA       "0123456789012345678901234567890123456789"
#define WORDS_MAX 4096
#define N_FIXED   12 /* words of a batch without a key */

static struct fleet_output output;
static struct fleet_batch batch;
static char *words[WORDS_MAX]; /* of the last command that was read; owned */
static size_t n_words, n_read; /* the bytes that were read */

static void forget_words(void)
{
    for (size_t i = 0; i < n_words; i++)
        free(words[i]);
    n_words = 0;
}

static void set_up(void)
{
    memset(&batch, 0, sizeof(batch));
    n_read = 0;
}

static void tear_down(void)
{
    forget_words();
    free(output.data);
    output = (struct fleet_output){0};
}

/* The number behind `mark` at the place that is read. */
static size_t read_number(char mark)
{
    char *end;

    ck_assert_uint_lt(n_read, output.n_bytes);
    ck_assert_int_eq(output.data[n_read], mark);
    size_t number = strtoul(output.data + n_read + 1, &end, 10);
    ck_assert_int_eq(memcmp(end, "\r\n", 2), 0);
    n_read = (size_t)(end - output.data) + 2;
    return number;
}

/* Reads the next command into `words`. */
static void read_command(void)
{
    forget_words();
    size_t n = read_number('*');
    ck_assert_uint_le(n, WORDS_MAX);
    while (n_words < n) {
        size_t length = read_number('$');

        ck_assert_uint_le(n_read + length + 2, output.n_bytes);
        words[n_words++] = strndup(output.data + n_read, length);
        ck_assert_int_eq(memcmp(output.data + n_read + length, "\r\n", 2), 0);
        n_read += length + 2;
    }
}

static void assert_words(size_t from, const char *const wanted[], size_t n_wanted)
{
    ck_assert_uint_le(from + n_wanted, n_words);
    for (size_t i = 0; i < n_wanted; i++)
        ck_assert_msg(strcmp(words[from + i], wanted[i]) == 0, "word %zu is %s, not %s", from + i,
                      words[from + i], wanted[i]);
}

static void add_item(const char *client, uint32_t own, uint32_t rate, uint32_t window_sec,
                     uint64_t window)
{
    struct fleet_item *item = &batch.items[batch.n_items++];
    struct address address;

    *item = (struct fleet_item){
        .key = {.max_rate = rate, .window_sec = window_sec}, .own = own, .window = window};
    ck_assert_int_eq(address_parse(client, &address), 0);
    ck_assert(source_of(&address, &item->key.source));
}

static void add_open(const char *service, uint8_t number, uint32_t own, uint32_t limit)
{
    const struct source source = {.family = AF_INET, .prefix = {192, 0, 2, number}};
    struct open_item *item = &batch.open[batch.n_open++];

    *item = (struct open_item){.own = own, .limit = limit};
    ck_assert(open_key_set(&item->key, service, &source));
    batch.has_open = true;
}

START_TEST(test_a_password_goes_as_it_is)
{
    static const char *const passwords[] = {"secret", "two words", "quote\"'$", "line\r\nFLUSHALL"};

    for (size_t i = 0; i < ELEMENTSOF(passwords); i++) {
        ck_assert_int_eq(fleet_request_auth(&output, passwords[i]), 0);
        read_command();
        ck_assert_uint_eq(n_words, 2);
        ck_assert_str_eq(words[0], "AUTH");
        ck_assert_str_eq(words[1], passwords[i]);
        ck_assert_uint_eq(n_read, output.n_bytes);
    }
}
END_TEST

START_TEST(test_an_empty_batch_asks_for_news_alone)
{
    static const char *const wanted[] = {"EVALSHA",
                                         SHA,
                                         "4",
                                         "dispatcherd:{fleet}:full:29933208",
                                         FLEET_KEY_STATE,
                                         FLEET_KEY_TOLD,
                                         FLEET_KEY_TOTALS,
                                         "mx1",
                                         "7",
                                         "abcd",
                                         "0",
                                         "-"};

    batch.window = 29933208;
    batch.n_full = 7;
    ck_assert_int_eq(fleet_request_batch(&output, SHA, "mx1", "abcd", &batch), 0);
    read_command();
    ck_assert_uint_eq(n_words, N_FIXED);
    assert_words(0, wanted, ELEMENTSOF(wanted));
}
END_TEST

/* A key stays for half a window longer than the window. */
START_TEST(test_each_key_has_its_count_rate_and_expiry)
{
    static const char *const keys[] = {"dispatcherd:{fleet}:29933208:c:10:4:c0000201",
                                       "dispatcherd:{fleet}:498886:c:500/3600:4:c0000202",
                                       "dispatcherd:{fleet}:open:smtp:4:c0000203",
                                       "dispatcherd:{fleet}:open:pop3:4:c0000204"};
    static const char *const numbers[] = {"3", "10", "90", "4294967295", "500", "5400",
                                          "2", "5",  "90", "0",          "0",   "90"};
    static const char *const arguments[] = {"mx1", "0", "abcd", "2", "1796000001123456"};

    add_item("192.0.2.1", 3, 10, 0, 29933208);
    add_item("192.0.2.2", UINT32_MAX, 500, 3600, 498886);
    add_open("smtp", 3, 2, 5);
    add_open("pop3", 4, 0, 0);
    batch.open_mark = UINT64_C(1796000001123456);
    ck_assert_int_eq(fleet_request_batch(&output, SHA, "mx1", "abcd", &batch), 0);
    read_command();
    ck_assert_uint_eq(n_words, N_FIXED + 4 * 4);
    ck_assert_str_eq(words[2], "8");
    assert_words(7, keys, ELEMENTSOF(keys));
    assert_words(11, arguments, ELEMENTSOF(arguments));
    assert_words(16, numbers, ELEMENTSOF(numbers));
}
END_TEST

/* Only a host that counts them is told of open connections. */
START_TEST(test_open_connections_are_asked_for_with_none_of_ones_own)
{
    batch.has_open = true;
    ck_assert_int_eq(fleet_request_batch(&output, SHA, "mx1", "abcd", &batch), 0);
    read_command();
    ck_assert_uint_eq(n_words, N_FIXED);
    ck_assert_str_eq(words[N_FIXED - 1], "0");
}
END_TEST

/* The script that is called by its digest is the one that was loaded. */
START_TEST(test_the_script_can_go_with_the_batch)
{
    ck_assert_int_eq(fleet_request_load(&output), 0);
    read_command();
    ck_assert_uint_eq(n_words, 3);
    ck_assert_str_eq(words[0], "SCRIPT");
    ck_assert_str_eq(words[1], "LOAD");
    ck_assert_ptr_nonnull(strstr(words[2], "redis.call('TIME')"));
    char *script = strdup(words[2]);
    ck_assert_int_eq(fleet_request_batch(&output, NULL, "mx1", "abcd", &batch), 0);
    read_command();
    ck_assert_uint_eq(n_words, N_FIXED);
    ck_assert_str_eq(words[0], "EVAL");
    ck_assert_str_eq(words[1], script);
    ck_assert_str_eq(words[2], "4");
    free(script);
}
END_TEST

START_TEST(test_the_longest_batch_fits)
{
    for (unsigned i = 0; i < FLEET_BATCH_KEYS; i++)
        add_item("2001:db8::1", UINT32_MAX, UINT32_MAX, 86400, UINT64_MAX);
    for (unsigned i = 0; i < FLEET_BATCH_OPEN; i++)
        add_open("a23456789012345678901234567890bc", (uint8_t)i, UINT32_MAX, UINT32_MAX);
    ck_assert_int_eq(fleet_request_batch(&output, SHA, "mx1", "abcd", &batch), 0);
    read_command();
    ck_assert_uint_eq(n_words, N_FIXED + 4 * (FLEET_BATCH_KEYS + FLEET_BATCH_OPEN));
    ck_assert_uint_lt(output.n_bytes, FLEET_OUTPUT_MAX / 4);
    ck_assert_str_eq(words[n_words - 1], "90");
}
END_TEST

/* What has been sent makes room; what waits is kept, in its order. */
START_TEST(test_what_was_sent_is_dropped)
{
    ck_assert_int_eq(fleet_request_auth(&output, "first"), 0);
    size_t length = output.n_bytes;
    output.n_sent = 5;
    ck_assert_int_eq(fleet_request_auth(&output, "other"), 0);
    ck_assert_uint_eq(output.n_sent, 0);
    ck_assert_uint_eq(output.n_bytes, 2 * length - 5);
    n_read = length - 5;
    read_command();
    ck_assert_str_eq(words[1], "other");
    output.n_sent = output.n_bytes;
    ck_assert_int_eq(fleet_request_auth(&output, "third"), 0);
    ck_assert_uint_eq(output.n_bytes, length);
    n_read = 0;
    read_command();
    ck_assert_str_eq(words[1], "third");
}
END_TEST

START_TEST(test_a_store_that_reads_nothing_takes_no_more_memory)
{
    size_t before;
    int r;

    do {
        before = output.n_bytes;
        r = fleet_request_load(&output);
    } while (r == 0);
    ck_assert_int_eq(r, -ENOBUFS);
    ck_assert_uint_eq(output.n_bytes, before);
    ck_assert_uint_le(output.size, FLEET_OUTPUT_MAX);
    while (n_read < output.n_bytes)
        read_command();
    ck_assert_uint_gt(output.n_bytes, FLEET_OUTPUT_MAX - 16384);
    output.n_sent = output.n_bytes / 2;
    ck_assert_int_eq(fleet_request_load(&output), 0);
}
END_TEST
#endif

Suite *make_suite(void)
{
    Suite *suite = suite_create("request");

#ifdef HAVE_HIREDIS
    ADD_FIXTURE_TESTS(
        suite, "requests", set_up, tear_down, test_a_password_goes_as_it_is,
        test_an_empty_batch_asks_for_news_alone, test_each_key_has_its_count_rate_and_expiry,
        test_open_connections_are_asked_for_with_none_of_ones_own,
        test_the_script_can_go_with_the_batch, test_the_longest_batch_fits,
        test_what_was_sent_is_dropped, test_a_store_that_reads_nothing_takes_no_more_memory);
#endif
    return suite;
}
