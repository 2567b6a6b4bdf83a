/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What jansson makes of a call, and of a reply, if an allocation fails. */
#include "support/suite.h"
#include "varlink/memory.h"
#include "varlink/message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned n_well; /* allocations that succeed before one fails */
static unsigned n_bad;  /* that fail then */

static void *allocate(size_t size)
{
    if (n_well > 0) {
        n_well--;
        return malloc(size);
    }
    if (n_bad > 0) {
        n_bad--;
        return NULL;
    }
    return malloc(size);
}

/* Of strings with escapes, of any length: the parser's buffer grows at some byte of one of them,
 * the last quote perhaps. */
static char call_text[512];

static void make_call(int n_bytes)
{
    snprintf(call_text, sizeof(call_text),
             "{\"method\":\"io.dispatcherd.Control.EndedConnections\",\"parameters\":{"
             "\"service\":\"%0*d\",\"%0*d\":\"\\u00e4\\\"\","
             "\"list\":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,[[[{\"a\":1.5e3}]]]]}}",
             n_bytes, 0, n_bytes, 0);
}

/* Returns whether an allocation failed. */
static bool parse_and_print(const char *expected)
{
    struct varlink_call call;
    char *text = NULL;
    size_t size;

    int r = varlink_call_parse(call_text, strlen(call_text), &call);
    if (r == 0) {
        text = varlink_message_text(call.message, &size);
        varlink_call_clear(&call);
    }
    bool was_short = varlink_memory_was_short();
    ck_assert(was_short || (text && strcmp(text, expected) == 0));
    free(text);
    return was_short;
}

static char *expected_text(void)
{
    struct varlink_call call;
    size_t size;

    ck_assert_int_eq(varlink_call_parse(call_text, strlen(call_text), &call), 0);
    char *text = varlink_message_text(call.message, &size);
    ck_assert_ptr_nonnull(text);
    varlink_call_clear(&call);
    return text;
}

/* One that fails, and all from one on: nothing wrong passes for right, and nothing is overrun. */
START_TEST(test_what_was_made_without_memory_is_known)
{
    varlink_memory_start(allocate);
    make_call(_i);
    char *expected = expected_text();

    for (int is_for_good = 0; is_for_good < 2; is_for_good++)
        for (unsigned i = 0;; i++) {
            ck_assert_uint_lt(i, 10000);
            n_well = i;
            n_bad = is_for_good ? 100000 : 1;
            if (!parse_and_print(expected))
                break;
            n_well = n_bad = 0;
            ck_assert(!parse_and_print(expected));
        }
    free(expected);
}
END_TEST

/* The longest call, of the most values, without any memory. */
START_TEST(test_the_reserve_is_enough_for_the_longest_call)
{
    size_t size = 65536;
    char *text = malloc(size);
    struct varlink_call call;

    varlink_memory_start(allocate);
    int n = snprintf(text, size, "{\"method\":\"a.b.C\",\"parameters\":{\"x\":[");
    while ((size_t)n < size - 8) {
        memcpy(text + n, "1,", 2);
        n += 2;
    }
    n += snprintf(text + n - 1, size - (size_t)n, "]}}") - 1; /* in place of the last comma */
    n_well = 0;
    n_bad = 1000000;
    ck_assert_int_eq(varlink_call_parse(text, (size_t)n, &call), 0);
    ck_assert(varlink_memory_was_short());
    varlink_call_clear(&call);
    n_bad = 0;
    free(text);
    make_call(1);
    char *expected = expected_text();
    ck_assert(!parse_and_print(expected));
    free(expected);
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("memory");

    TCase *tcase = tcase_create("failing");
    tcase_add_loop_test(tcase, test_what_was_made_without_memory_is_known, 1, 70);
    tcase_add_test(tcase, test_the_reserve_is_enough_for_the_longest_call);
    suite_add_tcase(suite, tcase);
    return suite;
}
