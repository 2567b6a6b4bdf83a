/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Tables, durations, and whole screens as people see them. */
#include "base/macro.h"
#include "control_client/duration.h"
#include "dispatcherctl/views/table.h"
#include "dispatcherctl/views/views.h"
#include "support/random.h"
#include "support/suite.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct table_column columns[] = {
    {"NAME", TABLE_LEFT}, {"N", TABLE_RIGHT}, {"WHY", TABLE_LEFT}};

/* What the table prints; the caller's. */
static char *printed(const struct table *table)
{
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);

    ck_assert_int_eq(table_print(table, stream), 0);
    fclose(stream);
    return text;
}

START_TEST(test_aligns_words_left_and_numbers_right)
{
    struct table table = table_init(columns, ELEMENTSOF(columns));

    table_add(&table, "%s", "a");
    table_add(&table, "%d", 12345);
    table_add(&table, "%s", "yes");
    table_add(&table, "%s", "longer");
    table_add(&table, "%d", 7);
    table_add(&table, "%s", "");
    char *text = printed(&table);
    ck_assert_str_eq(text, "NAME        N  WHY\n"
                           "a       12345  yes\n"
                           "longer      7  -\n");
    free(text);
    table_clear(&table);
}
END_TEST

START_TEST(test_prints_the_titles_of_an_empty_table)
{
    struct table table = table_init(columns, ELEMENTSOF(columns));
    char *text = printed(&table);

    ck_assert_str_eq(text, "NAME  N  WHY\n");
    free(text);
    table_clear(&table);
}
END_TEST

START_TEST(test_shows_no_byte_that_steers_a_terminal)
{
    struct table table = table_init(columns, 1);

    table_add(&table, "%s", "\x1b[2J\r\n\x7f\x9b\xc3\xa9~");
    char *text = printed(&table);
    ck_assert_str_eq(text, "NAME\n?[2J??????~\n");
    free(text);
    table_clear(&table);
}
END_TEST

START_TEST(test_grows)
{
    struct table table = table_init(columns, 1);

    for (int i = 0; i < 1000; i++)
        table_add(&table, "%03d", i);
    char *text = printed(&table);
    ck_assert_uint_eq(strlen(text), strlen("NAME\n") + 1000 * strlen("000\n"));
    free(text);
    table_clear(&table);
}
END_TEST

START_TEST(test_tells_durations_in_two_units)
{
    static const struct {
        uint64_t usec;
        const char *text;
    } cases[] = {
        {0, "0ms"},          {999999, "999ms"},
        {1000000, "1s"},     {59999999, "59s"},
        {60000000, "1min"},  {185000000, "3min 5s"},
        {3600000000, "1h"},  {8040000000, "2h 14min"},
        {86400000000, "1d"}, {UINT64_C(442800000000), "5d 3h"},
    };
    char text[DURATION_TEXT_MAX];

    for (size_t i = 0; i < ELEMENTSOF(cases); i++)
        ck_assert_str_eq(duration_format(cases[i].usec, text), cases[i].text);
}
END_TEST

START_TEST(test_reads_durations)
{
    static const struct {
        const char *text;
        uint64_t usec;
    } cases[] = {
        {"0", 0},
        {"90", 90000000},
        {"60us", 60},
        {"350ms", 350000},
        {"3min 5s", 185000000},
        {"1h30min", UINT64_C(5400000000)},
        {"5d 3h", UINT64_C(442800000000)},
        {"36500d", UINT64_C(3153600000000000)},
    };
    static const char *const wrong[] = {
        "",           " ",        "s",     "-1",   "1.5",
        "5 min",      "5parsecs", "1h 5",  "5 1h", "36501d",
        "1S",         "0x10",     "1h,5s", "+5",   "99999999999999999999999",
        "36500d 1us", "1 "};

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        uint64_t usec = 1;

        ck_assert_int_eq(duration_parse(cases[i].text, &usec), 0);
        ck_assert_uint_eq(usec, cases[i].usec);
    }
    for (size_t i = 0; i < ELEMENTSOF(wrong); i++) {
        uint64_t usec = 7;

        ck_assert_msg(duration_parse(wrong[i], &usec) == -EINVAL, "'%s'", wrong[i]);
        ck_assert_uint_eq(usec, 7);
    }
}
END_TEST

/* What is written reads as the same, to the smallest unit that is written. */
START_TEST(test_reads_the_durations_that_it_writes)
{
    struct random_source random = random_start();
    char text[DURATION_TEXT_MAX], again[DURATION_TEXT_MAX];

    for (int i = 0; i < 10000; i++) {
        uint64_t usec = random_next(&random) >> random_between(&random, 14, 60), read;

        ck_assert_int_eq(duration_parse(duration_format(usec, text), &read), 0);
        ck_assert_uint_le(read, usec);
        ck_assert_str_eq(duration_format(read, again), text);
    }
}
END_TEST

typedef int (*view_function)(const json_t *parameters, const char *service, FILE *stream);

/* What the view prints of the JSON; the caller's. */
static char *viewed(view_function view, const char *json)
{
    json_auto_t *parameters = json_loads(json, 0, NULL);
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);

    ck_assert_ptr_nonnull(parameters);
    ck_assert_int_eq(view(parameters, "SMTP", stream), 0);
    fclose(stream);
    return text;
}

START_TEST(test_shows_connections)
{
    char *text =
        viewed(view_connections,
               "{\"now\":{\"monotonic\":10000000},\"connections\":[{\"id\":\"00000000000000ff\","
               "\"service\":\"SMTP\",\"state\":\"active\",\"worker_pid\":42,\"is_tls\":false,"
               "\"accepted_at\":{\"monotonic\":5000000},"
               "\"client\":{\"address\":\"2001:db8::1\",\"port\":4711},"
               "\"local\":{\"address\":\"192.0.2.1\",\"port\":25},"
               "\"ident_user\":\"a\\u001b[2J <b>\"},"
               "{\"id\":\"0000000000000100\",\"service\":\"SMTP\",\"state\":\"waiting\","
               "\"worker_pid\":null,\"is_tls\":true,\"accepted_at\":{\"monotonic\":9999000},"
               "\"client\":{\"address\":\"unix\",\"port\":0},"
               "\"local\":{\"address\":\"unix\",\"port\":0}}]}");

    ck_assert_str_eq(
        text,
        "CONNECTION        SERVICE  STATE    WORKER  AGE  TLS  CLIENT              SERVER        "
        "USER\n"
        "00000000000000ff  SMTP     active       42   5s  no   [2001:db8::1]:4711  192.0.2.1:25  "
        "a?[2J <b>\n"
        "0000000000000100  SMTP     waiting       -  1ms  yes  unix                unix          "
        "-\n");
    free(text);
}
END_TEST

START_TEST(test_shows_what_is_wrong_with_a_service)
{
    char *text = viewed(view_status,
                        "{\"version\":\"1\",\"state\":\"running\",\"pid\":1,\"spawner\":\"self\","
                        "\"is_on_last_config\":true,\"config_file\":\"/etc/d.cnf\","
                        "\"services\":[{\"name\":\"SMTP\",\"state\":\"running\",\"n_ready\":0,"
                        "\"start_error\":\"no \\u001b[2J such file\",\"has_socket\":false}],"
                        "\"now\":{\"realtime\":2,\"monotonic\":2},\"alerts\":[{\"alert\":"
                        "\"unreachable\",\"text\":\"SMTP has no socket: nobody can reach it\","
                        "\"since\":{\"realtime\":1,\"monotonic\":1}}]}");

    ck_assert_ptr_nonnull(
        strstr(text, "\n/etc/d.cnf is broken; the last good configuration is in force\n"));
    ck_assert_ptr_nonnull(strstr(text, "\nSMTP cannot start a worker: no ?[2J such file\n"));
    ck_assert_ptr_nonnull(strstr(text, ": SMTP has no socket: nobody can reach it\n"));
    free(text);
}
END_TEST

START_TEST(test_says_what_the_history_lacks)
{
    static const char reply[] =
        "{\"services\":[{\"name\":\"SMTP\",\"statistics\":{\"history\":{\"connections\":"
        "{\"value\":1000,\"limit\":1000},\"workers\":{\"value\":3,\"limit\":100},"
        "\"n_dropped_connections\":%s,\"n_dropped_workers\":0}}}]}";
    char some[512], none[512];

    snprintf(some, sizeof(some), reply, "500");
    snprintf(none, sizeof(none), reply, "0");
    char *text = viewed(view_services, some);
    ck_assert_ptr_nonnull(
        strstr(text, "\nSMTP: 500 ended connections and 0 ended workers were dropped before "
                     "HISTORICAL_TIME was over; the history is limited to 1000 and 100\n"));
    free(text);
    text = viewed(view_services, none);
    ck_assert_ptr_null(strstr(text, "history"));
    free(text);
}
END_TEST

START_TEST(test_survives_replies_of_another_daemon)
{
    static const view_function views[] = {view_status,      view_services, view_workers,
                                          view_connections, view_stop,     view_start,
                                          view_restart,     view_reload};
    static const char *const replies[] = {
        "{}",
        "{\"services\":3,\"workers\":{},\"connections\":null,\"warnings\":\"x\",\"now\":[]}",
        "{\"services\":[1,null],\"workers\":[[]],\"connections\":[{}],\"warnings\":[7]}",
        "{\"n_connections\":\"x\",\"n_workers\":null}",
    };

    for (size_t i = 0; i < ELEMENTSOF(views); i++)
        for (size_t k = 0; k < ELEMENTSOF(replies); k++)
            free(viewed(views[i], replies[k]));
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("table");

    ADD_TESTS(suite, "table", test_aligns_words_left_and_numbers_right,
              test_prints_the_titles_of_an_empty_table, test_shows_no_byte_that_steers_a_terminal,
              test_grows);
    ADD_TESTS(suite, "duration", test_tells_durations_in_two_units, test_reads_durations,
              test_reads_the_durations_that_it_writes);
    ADD_TESTS(suite, "views", test_shows_connections, test_shows_what_is_wrong_with_a_service,
              test_says_what_the_history_lacks, test_survives_replies_of_another_daemon);
    return suite;
}
