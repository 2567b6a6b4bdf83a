/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Which rows of a list are shown, and in which order. */
#include "base/macro.h"
#include "dispatcherctl/query/selection.h"
#include "support/random.h"
#include "support/suite.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NOW 10000000

/* a: active; b: waits since two seconds; c: active, and waited for three. */
static const char connections[] =
    "[{\"id\":\"a\",\"service\":\"SMTP\",\"state\":\"active\",\"worker_pid\":42,"
    "\"client\":{\"address\":\"192.0.2.10\",\"port\":9},\"ident_user\":\"tom\",\"queued_usec\":5,"
    "\"accepted_at\":{\"monotonic\":9000000},\"handed_at\":{\"monotonic\":9000100}},"
    "{\"id\":\"b\",\"service\":\"POP3\",\"state\":\"waiting\",\"worker_pid\":null,"
    "\"client\":{\"address\":\"2001:db8::1\",\"port\":7},\"ident_user\":null,\"queued_usec\":7,"
    "\"accepted_at\":{\"monotonic\":8000000},\"handed_at\":null},"
    "{\"id\":\"c\",\"service\":\"SMTP\",\"state\":\"active\",\"worker_pid\":7,"
    "\"client\":{\"address\":\"192.0.2.9\",\"port\":10},\"ident_user\":\"ann\",\"queued_usec\":0,"
    "\"accepted_at\":{\"monotonic\":1000000},\"handed_at\":{\"monotonic\":4000000}}]";

static const char ended[] =
    "[{\"id\":\"d\",\"service\":\"SMTP\",\"end\":\"broken\",\"worker_pid\":42,"
    "\"accepted_at\":{\"monotonic\":1000000},\"handed_at\":null,"
    "\"ended_at\":{\"monotonic\":2000000}},"
    "{\"id\":\"e\",\"service\":\"SMTP\",\"end\":\"ended\",\"worker_pid\":42,"
    "\"accepted_at\":{\"monotonic\":1000000},\"handed_at\":{\"monotonic\":1500000},"
    "\"ended_at\":{\"monotonic\":9000000}},"
    "{\"id\":\"w\",\"service\":\"SMTP\",\"pid\":42,\"started_at\":{\"monotonic\":500000},"
    "\"ended_at\":{\"monotonic\":9000001}}]";

struct typed {
    enum selection_option option;
    const char *text;
};

/* The selection of up to two options. Returns what selection_parse() does. */
static int parse(enum selection_list list, struct typed first, struct typed second,
                 struct selection *ret, char reason[SELECTION_REASON_MAX])
{
    const char *texts[N_SELECTION_OPTIONS] = {0};

    texts[first.option] = first.text;
    if (second.text)
        texts[second.option] = second.text;
    return selection_parse(texts, list, ret, reason);
}

/* The ids of what is left of the rows, in their order. */
static void check(enum selection_list list, struct typed first, struct typed second,
                  const char *expected)
{
    json_auto_t *rows = json_loads(list == LIST_OF_ENDED ? ended : connections, 0, NULL);
    char reason[SELECTION_REASON_MAX], left[16] = "";
    struct selection selection;
    json_t *row;
    size_t i;

    ck_assert_ptr_nonnull(rows);
    ck_assert_int_eq(parse(list, first, second, &selection, reason), 0);
    ck_assert_int_eq(selection_apply(&selection, rows, NOW), 0);
    json_array_foreach(rows, i, row)
        strncat(left, json_string_value(json_object_get(row, "id")), 1);
    ck_assert_msg(strcmp(left, expected) == 0, "--%s %s: '%s', not '%s'",
                  selection_option_name(first.option), first.text, left, expected);
}

struct case_of_one {
    struct typed typed;
    const char *expected;
};

START_TEST(test_shows_what_is_wanted)
{
    static const struct case_of_one cases[] = {
        {{SELECTION_WORKER, "42"}, "a"},
        {{SELECTION_WORKER, "1"}, ""},
        {{SELECTION_CLIENT, "192.0.2.9"}, "c"},
        {{SELECTION_CLIENT, "192.0.2.0/24"}, "ac"},
        {{SELECTION_CLIENT, "0.0.0.0/0"}, "ac"},
        {{SELECTION_CLIENT, "2001:db8::/32"}, "b"},
        {{SELECTION_STATE, "active"}, "ac"},
        {{SELECTION_STATE, "hand-off"}, ""},
        {{SELECTION_USER, "tom"}, "a"},
        {{SELECTION_USER, "Tom"}, ""},
        {{SELECTION_OLDER, "1s"}, "bc"},
        {{SELECTION_OLDER, "8999999us"}, "c"},
        {{SELECTION_OLDER, "9"}, ""},
        {{SELECTION_WAITED, "0"}, "abc"},
        {{SELECTION_WAITED, "1s"}, "bc"},
        {{SELECTION_WAITED, "2s"}, "c"},
        {{SELECTION_LIMIT, "2"}, "ab"},
        {{SELECTION_LIMIT, "1000000"}, "abc"},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++)
        check(LIST_OF_CONNECTIONS, cases[i].typed, (struct typed){0}, cases[i].expected);
    check(LIST_OF_CONNECTIONS, (struct typed){SELECTION_STATE, "active"},
          (struct typed){SELECTION_OLDER, "5s"}, "c");
}
END_TEST

START_TEST(test_sorts_both_ways)
{
    static const struct case_of_one cases[] = {
        {{SELECTION_SORT, "age"}, "abc"},
        {{SELECTION_SORT, "-age"}, "cba"},
        {{SELECTION_SORT, "waited"}, "abc"},
        {{SELECTION_SORT, "-waited"}, "cba"},
        {{SELECTION_SORT, "queued"}, "cab"},
        {{SELECTION_SORT, "-queued"}, "bac"},
        {{SELECTION_SORT, "worker"}, "bca"},
        {{SELECTION_SORT, "-worker"}, "acb"},
        {{SELECTION_SORT, "user"}, "bca"},
        {{SELECTION_SORT, "client"}, "cab"},
        /* What is equal stays as it was. */
        {{SELECTION_SORT, "state"}, "acb"},
        {{SELECTION_SORT, "-state"}, "bac"},
        {{SELECTION_SORT, "service"}, "bac"},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++)
        check(LIST_OF_CONNECTIONS, cases[i].typed, (struct typed){0}, cases[i].expected);
    check(LIST_OF_CONNECTIONS, (struct typed){SELECTION_SORT, "-age"},
          (struct typed){SELECTION_LIMIT, "1"}, "c");
}
END_TEST

START_TEST(test_selects_of_what_has_ended)
{
    static const struct case_of_one cases[] = {
        {{SELECTION_WORKER, "42"}, "dew"}, {{SELECTION_STATE, "broken"}, "d"},
        {{SELECTION_OLDER, "1s"}, "ew"},   {{SELECTION_OLDER, "8s"}, "w"},
        {{SELECTION_WAITED, "0"}, "de"},   {{SELECTION_WAITED, "500ms"}, "d"},
        {{SELECTION_SORT, "-age"}, "wed"}, {{SELECTION_SORT, "ended"}, "wed"},
        {{SELECTION_CLIENT, "::/0"}, ""},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++)
        check(LIST_OF_ENDED, cases[i].typed, (struct typed){0}, cases[i].expected);
}
END_TEST

START_TEST(test_says_what_would_be_right)
{
    static const struct {
        enum selection_list list;
        struct typed typed;
        const char *reason; /* begins so */
    } cases[] = {
        {NO_LIST, {SELECTION_LIMIT, "3"}, "--limit applies only to connections and history"},
        {LIST_OF_CONNECTIONS,
         {SELECTION_LIMIT, "0"},
         "--limit must be a number of rows, 1 to 1000000; "},
        {LIST_OF_CONNECTIONS, {SELECTION_LIMIT, "1000001"}, "--limit must be a number of rows"},
        {LIST_OF_CONNECTIONS, {SELECTION_LIMIT, "-1"}, "--limit must be a number of rows"},
        {LIST_OF_CONNECTIONS, {SELECTION_WORKER, "4x"}, "--worker must be a process number; not"},
        {LIST_OF_CONNECTIONS,
         {SELECTION_WORKER, "4294967338"},
         "--worker must be a process number"},
        {LIST_OF_CONNECTIONS,
         {SELECTION_CLIENT, "localhost"},
         "--client must be an address or a network: "},
        {LIST_OF_CONNECTIONS,
         {SELECTION_CLIENT, "10.0.0.1/8"},
         "--client must be an address or a network: "},
        {LIST_OF_CONNECTIONS,
         {SELECTION_STATE, "ended"},
         "--state must be one of waiting, hand-off, active, passed-on; "},
        {LIST_OF_ENDED,
         {SELECTION_STATE, "active"},
         "--state must be one of ended, broken, gone, rejected, "},
        {LIST_OF_CONNECTIONS,
         {SELECTION_SORT, "ended"},
         "--sort must be one of age, client, queued, "},
        {LIST_OF_CONNECTIONS, {SELECTION_SORT, "--age"}, "--sort must be one of "},
        {LIST_OF_CONNECTIONS,
         {SELECTION_OLDER, "soon"},
         "--older must be a time span, such as 90, "},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        char reason[SELECTION_REASON_MAX] = "";
        struct selection selection;

        ck_assert_int_eq(
            parse(cases[i].list, cases[i].typed, (struct typed){0}, &selection, reason), -EINVAL);
        ck_assert_msg(strncmp(reason, cases[i].reason, strlen(cases[i].reason)) == 0, "%s", reason);
    }
}
END_TEST

/* Any rows: none is lost or made, and their order is that of their ages. */
START_TEST(test_sorts_thousands)
{
    enum {
        N = 5000
    };
    struct random_source random = random_start();
    const char *const texts[N_SELECTION_OPTIONS] = {[SELECTION_SORT] = "-age"};
    json_auto_t *rows = json_array();
    char reason[SELECTION_REASON_MAX];
    struct selection selection;
    json_int_t previous = 0, sum = 0;
    json_t *row;
    size_t i;

    for (i = 0; i < N; i++) {
        json_int_t at = (json_int_t)random_between(&random, 1, NOW);

        sum += at;
        json_array_append_new(rows, json_pack("{s:{s:I}}", "accepted_at", "monotonic", at));
    }
    ck_assert_int_eq(selection_parse(texts, LIST_OF_CONNECTIONS, &selection, reason), 0);
    ck_assert_int_eq(selection_apply(&selection, rows, NOW), 0);
    ck_assert_uint_eq(json_array_size(rows), N);
    json_array_foreach(rows, i, row) {
        json_int_t at =
            json_integer_value(json_object_get(json_object_get(row, "accepted_at"), "monotonic"));

        ck_assert_int_ge(at, previous);
        previous = at;
        sum -= at;
    }
    ck_assert_int_eq(sum, 0);
}
END_TEST

START_TEST(test_survives_rows_of_another_daemon)
{
    static const char *const replies[] = {"[1, null, {}, [], \"x\"]", "{}", "7", "[]",
                                          "[{\"accepted_at\":7,\"client\":\"x\",\"state\":[]}]"};
    static const char *const texts[N_SELECTION_OPTIONS] = {"1",  "::/0", "active", "x",
                                                           "1s", "1s",   "client", "1"};
    char reason[SELECTION_REASON_MAX];
    struct selection selection;

    ck_assert_int_eq(selection_parse(texts, LIST_OF_CONNECTIONS, &selection, reason), 0);
    for (size_t i = 0; i < ELEMENTSOF(replies); i++) {
        json_auto_t *rows = json_loads(replies[i], JSON_DECODE_ANY, NULL);

        ck_assert_ptr_nonnull(rows);
        ck_assert_int_eq(selection_apply(&selection, rows, NOW), 0);
        ck_assert_uint_eq(json_array_size(rows), 0);
    }
    ck_assert_int_eq(selection_apply(&selection, NULL, NOW), 0);
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("selection");

    ADD_TESTS(suite, "filter", test_shows_what_is_wanted, test_selects_of_what_has_ended,
              test_survives_rows_of_another_daemon);
    ADD_TESTS(suite, "order", test_sorts_both_ways, test_sorts_thousands);
    ADD_TESTS(suite, "options", test_says_what_would_be_right);
    return suite;
}
