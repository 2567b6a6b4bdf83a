/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "base/log_limit.h"
#include "dispatcherd/report/bulk.h"
#include "dispatcherd/report/events.h"
#include "dispatcherd/report/message_ids.h"
#include "protocol/debug.h"
#include "support/simulated_clock.h"
#include "support/suite.h"

#include <stdio.h>
#include <string.h>

static const struct address address = {.family = AF_INET, .bytes = {192, 0, 2, 7}};
static const struct subject subject = {
    .service = "SMTP", .client = &address, .debug_bit = DEBUG_REJECTIONS, .reason = "mapping"};

static sd_event *event;
static unsigned n_summaries;
static char summary[1024];

static void take(_unused_ struct follower *follower, json_t *line)
{
    const char *id = json_string_value(json_object_get(line, "message_id"));

    ck_assert_str_eq(id, MESSAGE_ID_LINES_LEFT_OUT);
    n_summaries++;
    snprintf(summary, sizeof(summary), "%s", json_string_value(json_object_get(line, "text")));
}

static struct follower follower = {.take = take};

/* The limits are those of the process. A test may run in one with others, whose lines are long
 * over. */
static void set_up(void)
{
    ck_assert_int_ge(sd_event_new(&event), 0);
    log_use_file(); /* there is always room for lines */
    bulk_end();
    clock_advance(60 * USEC_PER_SEC);
    n_summaries = 0;
    events_follow(&follower);
}

static void tear_down(void)
{
    events_leave(&follower);
    bulk_end();
    sd_event_unref(event);
}

static unsigned n_taken(enum bulk_kind kind, unsigned n)
{
    unsigned n_lines = 0;

    for (unsigned i = 0; i < n; i++)
        n_lines += bulk_take(kind, &subject);
    return n_lines;
}

static void run_loop(void)
{
    ck_assert_int_ge(sd_event_run(event, 0), 0);
}

/* journald takes 10,000 lines of a unit in 30 s. */
START_TEST(test_each_kind_has_its_burst_and_its_rate)
{
    static const struct {
        enum bulk_kind kind;
        unsigned burst, per_sec;
    } cases[] = {{BULK_REJECTIONS, 500, 10}, {BULK_NOTES, 500, 10}, {BULK_DEBUG, 5000, 100}};
    unsigned n_in_30_sec = 0;

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        ck_assert_uint_eq(n_taken(cases[i].kind, cases[i].burst + 10), cases[i].burst);
        n_in_30_sec += cases[i].burst + 30 * cases[i].per_sec;
    }
    ck_assert_uint_lt(n_in_30_sec, 10000);
    clock_advance(USEC_PER_SEC);
    for (size_t i = 0; i < ELEMENTSOF(cases); i++)
        ck_assert_uint_eq(n_taken(cases[i].kind, cases[i].per_sec + 10), cases[i].per_sec);
}
END_TEST

START_TEST(test_lines_that_are_logged_are_not_summed_up)
{
    ck_assert_uint_eq(n_taken(BULK_NOTES, 500), 500);
    clock_advance(60 * USEC_PER_SEC);
    ck_assert_uint_eq(n_taken(BULK_NOTES, 500), 500);
    bulk_end();
    ck_assert_uint_eq(n_summaries, 0);
}
END_TEST

START_TEST(test_the_loop_sums_up_after_ten_seconds)
{
    ck_assert_int_eq(bulk_start(event), 0);
    ck_assert_uint_eq(n_taken(BULK_REJECTIONS, 700), 500);
    clock_advance(LOG_LIMIT_SUM_USEC - 1);
    run_loop();
    ck_assert_uint_eq(n_summaries, 0);
    clock_advance(1);
    run_loop();
    ck_assert_uint_eq(n_summaries, 1);
    ck_assert_str_eq(summary, "rejected clients: 200 lines left out in 10 s: 200 of 192.0.2.7 "
                              "(SMTP, mapping)");
    clock_advance(LOG_LIMIT_SUM_USEC);
    run_loop();
    ck_assert_uint_eq(n_summaries, 1);
}
END_TEST

START_TEST(test_each_kind_is_summed_up_when_it_is_due)
{
    ck_assert_int_eq(bulk_start(event), 0);
    n_taken(BULK_NOTES, 501);
    clock_advance(4 * USEC_PER_SEC);
    n_taken(BULK_DEBUG, 5002);
    clock_advance(LOG_LIMIT_SUM_USEC - 4 * USEC_PER_SEC);
    run_loop();
    ck_assert_uint_eq(n_summaries, 1);
    ck_assert_str_eq(summary, "notes of PORT_ACCESS: 1 line left out in 10 s: 1 of 192.0.2.7 "
                              "(SMTP, mapping)");
    clock_advance(4 * USEC_PER_SEC);
    run_loop();
    ck_assert_uint_eq(n_summaries, 2);
    ck_assert_str_eq(summary, "DEBUG: 2 lines left out in 10 s: 2 of bit 24 (SMTP)");
}
END_TEST

/* It need not be one that is left out. */
START_TEST(test_without_a_loop_the_next_line_brings_the_summary)
{
    n_taken(BULK_REJECTIONS, 503);
    clock_advance(LOG_LIMIT_SUM_USEC - 1);
    ck_assert(bulk_take(BULK_REJECTIONS, &subject));
    ck_assert_uint_eq(n_summaries, 0);
    clock_advance(1);
    ck_assert(bulk_take(BULK_REJECTIONS, &subject));
    ck_assert_uint_eq(n_summaries, 1);
    ck_assert_str_eq(summary, "rejected clients: 3 lines left out in 10 s: 3 of 192.0.2.7 (SMTP, "
                              "mapping)");
}
END_TEST

START_TEST(test_the_end_sums_up_what_is_not_due_yet)
{
    ck_assert_int_eq(bulk_start(event), 0);
    n_taken(BULK_REJECTIONS, 501);
    n_taken(BULK_NOTES, 501);
    bulk_end();
    ck_assert_uint_eq(n_summaries, 2);
    bulk_end();
    ck_assert_uint_eq(n_summaries, 2);
}
END_TEST

START_TEST(test_lines_are_counted_by_what_they_are_about)
{
    const struct subject daemon = {.debug_bit = DEBUG_REJECTIONS}, nobody = {.service = "POP3"};

    n_taken(BULK_NOTES, 500);
    ck_assert(!bulk_take(BULK_NOTES, &nobody));
    ck_assert(!bulk_take(BULK_NOTES, &nobody));
    ck_assert(!bulk_take(BULK_NOTES, &subject));
    bulk_end();
    ck_assert_ptr_nonnull(strstr(summary, ": 2 of ? (POP3)"));
    ck_assert_ptr_nonnull(strstr(summary, "1 of 192.0.2.7 (SMTP, mapping)"));
    n_taken(BULK_DEBUG, 5000);
    ck_assert(!bulk_take(BULK_DEBUG, &daemon));
    bulk_end();
    ck_assert_ptr_nonnull(strstr(summary, ": 1 of bit 24 (dispatcherd)"));
}
END_TEST

SUITE("bulk", set_up, tear_down, test_each_kind_has_its_burst_and_its_rate,
      test_lines_that_are_logged_are_not_summed_up, test_the_loop_sums_up_after_ten_seconds,
      test_each_kind_is_summed_up_when_it_is_due,
      test_without_a_loop_the_next_line_brings_the_summary,
      test_the_end_sums_up_what_is_not_due_yet, test_lines_are_counted_by_what_they_are_about)
