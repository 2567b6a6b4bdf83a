/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Answers of several hosts become one, and are added up. */
#include "dispatcherctl/hosts/merge.h"
#include "support/suite.h"

#include <string.h>

static json_t *parsed(const char *text)
{
    json_t *value = json_loads(text, 0, NULL);

    ck_assert_msg(value != NULL, "no JSON: %s", text);
    return value;
}

static void check_json(const json_t *value, const char *expected)
{
    json_auto_t *other = parsed(expected);
    char *text = json_dumps(value, JSON_SORT_KEYS);

    ck_assert_msg(json_equal(value, other), "%s", text);
    free(text);
}

START_TEST(test_puts_rows_of_all_hosts_on_one_clock)
{
    static const char *const lists[] = {"rows", NULL};
    struct gathered answers[] = {
        {.host = "a",
         .reply = parsed("{\"now\":{\"realtime\":1000,\"monotonic\":50},\"n\":1,"
                         "\"rows\":[{\"at\":{\"realtime\":990,\"monotonic\":40}}]}")},
        {.host = "b", .reason = "it burns"},
        {.host = "c",
         .reply = parsed("{\"now\":{\"realtime\":1001,\"monotonic\":700},"
                         "\"rows\":[{\"at\":{\"realtime\":996,\"monotonic\":695},\"x\":null}]}")},
    };
    json_auto_t *merged = NULL;

    ck_assert_int_eq(merge(answers, 3, lists, &merged), 0);
    check_json(merged, "{\"now\":{\"realtime\":1001,\"monotonic\":700},"
                       "\"hosts\":[{\"host\":\"a\",\"error\":null,"
                       "\"reply\":{\"now\":{\"realtime\":1000,\"monotonic\":700},\"n\":1}},"
                       "{\"host\":\"b\",\"error\":\"it burns\",\"reply\":null},"
                       "{\"host\":\"c\",\"error\":null,"
                       "\"reply\":{\"now\":{\"realtime\":1001,\"monotonic\":700}}}],"
                       "\"rows\":[{\"host\":\"a\",\"at\":{\"realtime\":990,\"monotonic\":690}},"
                       "{\"host\":\"c\",\"at\":{\"realtime\":996,\"monotonic\":695},\"x\":null}]}");
}
END_TEST

START_TEST(test_has_no_time_if_every_host_is_away)
{
    static const char *const lists[] = {"rows", NULL};
    struct gathered answers[] = {{.host = "a", .reason = "no answer"}};
    json_auto_t *merged = NULL;

    ck_assert_int_eq(merge(answers, 1, lists, &merged), 0);
    check_json(merged, "{\"now\":null,\"hosts\":[{\"host\":\"a\",\"error\":\"no answer\","
                       "\"reply\":null}],\"rows\":[]}");
}
END_TEST

/* The sum of the same service of two hosts, of which only the other members are given. */
static void check_sum(const char *one, const char *other, const char *expected)
{
    static const char *const left_out[] = {NULL};
    json_auto_t *rows = json_pack("[{s:s, s:o}, {s:s, s:o}]", "name", "SMTP", "statistics",
                                  parsed(one), "name", "SMTP", "statistics", parsed(other));
    json_auto_t *sums = merge_sums(rows, "name", left_out);

    check_json(json_object_get(json_array_get(sums, 0), "statistics"), expected);
}

/* Members of rows, and of what their sum is made. */
START_TEST(test_adds_counts_and_keeps_extremes)
{
    static const char *const left_out[] = {"options", NULL};
    json_auto_t *rows = parsed(
        "[{\"host\":\"a\",\"name\":\"SMTP\",\"state\":\"running\",\"accept\":\"accepting\","
        "\"options\":{\"PORT\":25},\"workers\":{\"value\":2,\"limit\":5},\"has_socket\":true,"
        "\"since\":{\"realtime\":1,\"monotonic\":9},\"error\":null,"
        "\"statistics\":{\"n\":3,\"hourly\":{\"n_completed\":2,\"running\":1,\"min\":4,"
        "\"average\":6.0,\"max\":9},"
        "\"wait\":{\"n\":3,\"sum_usec\":30,\"min_usec\":5,\"average_usec\":10,\"max_usec\":15},"
        "\"backlog\":{\"n\":0,\"sum_usec\":0,\"min_usec\":0,\"average_usec\":0,\"max_usec\":0},"
        "\"rejected\":{\"throttle\":1}}},"
        "{\"host\":\"b\",\"name\":\"POP\",\"workers\":{\"value\":1,\"limit\":1}},"
        "{\"host\":\"b\",\"name\":\"smtp\",\"state\":\"full\",\"accept\":\"accepting\","
        "\"options\":{\"PORT\":26},\"workers\":{\"value\":5,\"limit\":5},\"has_socket\":false,"
        "\"since\":{\"realtime\":2,\"monotonic\":4},\"error\":\"bad\","
        "\"statistics\":{\"n\":4,\"hourly\":{\"n_completed\":1,\"running\":8,\"min\":1,"
        "\"average\":1.0,\"max\":2},"
        "\"wait\":{\"n\":1,\"sum_usec\":50,\"min_usec\":50,\"average_usec\":50,\"max_usec\":50},"
        "\"backlog\":{\"n\":1,\"sum_usec\":7,\"min_usec\":7,\"average_usec\":7,\"max_usec\":7},"
        "\"rejected\":{\"dns_list\":2,\"throttle\":3}}},"
        "{\"host\":\"c\",\"name\":\"SMTP\",\"statistics\":{\"n\":1,\"hourly\":{\"average\":2.0}}}"
        "]");
    json_auto_t *sums = merge_sums(rows, "name", left_out);

    check_json(sums,
               "[{\"name\":\"SMTP\",\"hosts\":3,\"state\":\"\",\"accept\":\"accepting\","
               "\"workers\":{\"value\":7,\"limit\":10},\"has_socket\":false,"
               "\"since\":{\"realtime\":2,\"monotonic\":4},\"error\":\"bad\","
               "\"statistics\":{\"n\":8,\"hourly\":{\"n_completed\":2,\"running\":9,\"min\":1,"
               "\"average\":3.0,\"max\":9},"
               "\"wait\":{\"n\":4,\"sum_usec\":80,\"min_usec\":5,\"average_usec\":20,"
               "\"max_usec\":50},"
               "\"backlog\":{\"n\":1,\"sum_usec\":7,\"min_usec\":7,\"average_usec\":7,"
               "\"max_usec\":7},"
               "\"rejected\":{\"throttle\":4,\"dns_list\":2}}},"
               "{\"name\":\"POP\",\"hosts\":1,\"workers\":{\"value\":1,\"limit\":1}}]");
    /* The rows are as they were. */
    ck_assert_int_eq(json_integer_value(json_object_get(
                         json_object_get(json_array_get(rows, 0), "workers"), "value")),
                     2);
}
END_TEST

START_TEST(test_no_host_names_another)
{
    static const char *const lists[] = {"rows", NULL};
    struct gathered answer = {
        .host = "evil", .reply = parsed("{\"rows\":[{\"host\":\"good\",\"name\":\"SMTP\"}]}")};
    json_auto_t *merged = NULL;

    ck_assert_int_eq(merge(&answer, 1, lists, &merged), 0);
    check_json(json_object_get(merged, "rows"), "[{\"host\":\"evil\",\"name\":\"SMTP\"}]");
}
END_TEST

START_TEST(test_does_not_add_time_limits)
{
    check_sum("{\"passed_on_within_usec\":5000000}", "{\"passed_on_within_usec\":3000000}",
              "{\"passed_on_within_usec\":5000000}");
    check_sum("{\"passed_on_within_usec\":null}", "{\"passed_on_within_usec\":3000000}",
              "{\"passed_on_within_usec\":3000000}");
}
END_TEST

/* There is no minimum and no maximum before the first hour is over: they are 0. */
START_TEST(test_a_host_in_its_first_hour_has_no_extremes)
{
    static const char *const old = "{\"hourly\":{\"n_completed\":3,\"running\":5,\"min\":40,"
                                   "\"average\":50.0,\"max\":60}}",
                             *const young =
                                 "{\"hourly\":{\"n_completed\":0,\"running\":2,\"min\":0,"
                                 "\"average\":2.0,\"max\":0}}",
                             *const both =
                                 "{\"hourly\":{\"n_completed\":3,\"running\":7,\"min\":40,"
                                 "\"average\":26.0,\"max\":60}}";

    check_sum(old, young, both);
    check_sum(young, old, both);
    check_sum(young, young,
              "{\"hourly\":{\"n_completed\":0,\"running\":4,\"min\":0,\"average\":2.0,"
              "\"max\":0}}");
}
END_TEST

/* The largest numbers of JSON: no host makes those of all wrap around. */
START_TEST(test_numbers_stay_at_the_end_of_their_range)
{
    static const char *const lists[] = {"rows", NULL};
    struct gathered answers[] = {
        {.host = "a",
         .reply = parsed("{\"now\":{\"realtime\":1,\"monotonic\":9223372036854775807},"
                         "\"rows\":[]}")},
        {.host = "b",
         .reply = parsed("{\"now\":{\"realtime\":1,\"monotonic\":-9223372036854775807},"
                         "\"rows\":[{\"at\":{\"realtime\":1,\"monotonic\":7}}]}")},
    };
    json_auto_t *merged = NULL;

    ck_assert_int_eq(merge(answers, 2, lists, &merged), 0);
    check_json(json_object_get(merged, "rows"),
               "[{\"host\":\"b\",\"at\":{\"realtime\":1,\"monotonic\":9223372036854775807}}]");
    check_sum("{\"n\":9223372036854775807}", "{\"n\":1}", "{\"n\":9223372036854775807}");
    check_sum("{\"n\":-9223372036854775807}", "{\"n\":-9223372036854775807}",
              "{\"n\":-9223372036854775808}");
}
END_TEST

START_TEST(test_bears_any_answer)
{
    static const char *const left_out[] = {NULL};
    static const char *const lists[] = {"rows", NULL};
    static const char *const answers[] = {
        "{}",
        "{\"now\":7,\"rows\":3}",
        "{\"now\":{\"realtime\":1,\"monotonic\":\"x\"},\"rows\":[1,null,[],{\"name\":5}]}",
        "{\"rows\":[{\"name\":\"S\",\"a\":{\"b\":1}},{\"name\":\"S\",\"a\":[1]}]}",
        "{\"rows\":[{\"name\":\"S\",\"a\":[2]},{\"name\":\"S\",\"a\":4}]}",
    };

    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        struct gathered answer = {.host = "a", .reply = parsed(answers[i])};
        json_auto_t *merged = NULL;

        ck_assert_int_eq(merge(&answer, 1, lists, &merged), 0);
        json_auto_t *sums = merge_sums(json_object_get(merged, "rows"), "name", left_out);
        ck_assert(json_is_array(sums));
    }
}
END_TEST

SUITE("merge", NULL, NULL, test_puts_rows_of_all_hosts_on_one_clock,
      test_has_no_time_if_every_host_is_away, test_adds_counts_and_keeps_extremes,
      test_no_host_names_another, test_does_not_add_time_limits,
      test_a_host_in_its_first_hour_has_no_extremes, test_numbers_stay_at_the_end_of_their_range,
      test_bears_any_answer)
