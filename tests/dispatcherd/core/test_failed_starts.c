/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/control_scene.h"
#include "dispatcherd/core/failed_starts.h"
#include "dispatcherd/report/events.h"
#include "dispatcherd/report/message_ids.h"
#include "support/simulated_clock.h"
#include "support/suite.h"

#include <stdio.h>
#include <string.h>

static struct control_scene scene;
static struct service *service;
static unsigned n_lines;
static char last_line[2048];

static void take(_unused_ struct follower *follower, json_t *event)
{
    const char *id = json_string_value(json_object_get(event, "message_id"));

    if (!id || strcmp(id, MESSAGE_ID_START_FAILED) != 0)
        return;
    n_lines++;
    snprintf(last_line, sizeof(last_line), "%s", json_string_value(json_object_get(event, "text")));
}

static struct follower follower = {.take = take};

static void set_up(void)
{
    scene_init(&scene, "[SERVICE=SMTP]\nIMAGE=/bin/true\nPORT=2525\nMAX_PROCS=3\n");
    service = scene.services[0];
    n_lines = 0;
    events_follow(&follower);
}

static void tear_down(void)
{
    events_leave(&follower);
    scene_clear(&scene);
}

static void fail_to_start(enum decision_reason reason)
{
    failed_starts_note(service, reason, "%s: %s", "/bin/true", "no such file");
}

/* How many lines that wrote. */
static unsigned n_lines_of(enum decision_reason reason)
{
    unsigned before = n_lines;

    fail_to_start(reason);
    return n_lines - before;
}

START_TEST(test_a_failure_is_kept_counted_and_reported)
{
    ck_assert(!service->failed_starts.has_any);
    ck_assert_str_eq(service->failed_starts.error, "");
    fail_to_start(REASON_MINIMUM);
    ck_assert(service->failed_starts.has_any);
    ck_assert_str_eq(service->failed_starts.error, "/bin/true: no such file");
    ck_assert_uint_eq(service->statistics->n_failed_starts, 1);
    ck_assert_str_eq(service->alerts.last_death, "/bin/true: no such file");
    ck_assert_uint_eq(service->alerts.deaths.n, 1);
    ck_assert_uint_eq(n_lines, 1);
    ck_assert_str_eq(last_line, "cannot start a worker: /bin/true: no such file");
}
END_TEST

START_TEST(test_a_long_reason_is_cut)
{
    static char reason[2 * sizeof(service->failed_starts.error)];

    memset(reason, 'x', sizeof(reason) - 1);
    failed_starts_note(service, REASON_MINIMUM, "%s", reason);
    ck_assert_uint_eq(strlen(service->failed_starts.error),
                      sizeof(service->failed_starts.error) - 1);
    ck_assert_uint_eq(strlen(service->alerts.last_death), sizeof(service->alerts.last_death) - 1);
}
END_TEST

START_TEST(test_a_success_ends_the_reason_and_not_that_there_was_one)
{
    fail_to_start(REASON_MINIMUM);
    failed_starts_end(&service->failed_starts);
    ck_assert_str_eq(service->failed_starts.error, "");
    ck_assert(service->failed_starts.has_any);
}
END_TEST

START_TEST(test_each_failure_is_reported_while_nobody_serves)
{
    for (int i = 0; i < 3; i++)
        ck_assert_uint_eq(n_lines_of(REASON_MINIMUM), 1);
    ck_assert_uint_eq(service->statistics->n_failed_starts, 3);
}
END_TEST

START_TEST(test_a_failure_is_reported_once_a_minute_while_others_serve)
{
    scene_add_worker(&scene, 0, 0, 100);
    ck_assert_uint_eq(n_lines_of(REASON_MINIMUM), 1);
    ck_assert_uint_eq(n_lines_of(REASON_MINIMUM), 0);
    clock_advance(60 * USEC_PER_SEC - 1);
    ck_assert_uint_eq(n_lines_of(REASON_MINIMUM), 0);
    clock_advance(1);
    ck_assert_uint_eq(n_lines_of(REASON_MINIMUM), 1);
    ck_assert_uint_eq(n_lines_of(REASON_MINIMUM), 0);
    /* What is not reported is kept and counted all the same. */
    ck_assert_uint_eq(service->statistics->n_failed_starts, 5);
    ck_assert_uint_eq(service->alerts.deaths.n, 5);
    failed_starts_note(service, REASON_MINIMUM, "another reason");
    ck_assert_str_eq(service->failed_starts.error, "another reason");
}
END_TEST

START_TEST(test_other_options_are_reported_on_at_once)
{
    scene_add_worker(&scene, 0, 0, 100);
    ck_assert_uint_eq(n_lines_of(REASON_MINIMUM), 1);
    failed_starts_set_options(&service->failed_starts);
    ck_assert_uint_eq(n_lines_of(REASON_MINIMUM), 1);
    ck_assert_uint_eq(n_lines_of(REASON_MINIMUM), 0);
}
END_TEST

START_TEST(test_outdated_workers_stay_if_their_successor_fails)
{
    scene_add_worker(&scene, 0, 0, 100);
    scene_add_worker(&scene, 0, 1, 101);
    pool_worker_outdated(service->pool, 0);
    pool_worker_outdated(service->pool, 1);
    ck_assert_uint_eq(n_lines_of(REASON_MINIMUM), 1);
    ck_assert(service->pool->workers[0].is_outdated);
    /* The failure was reported just now, and that they stay was not. */
    ck_assert_uint_eq(n_lines_of(REASON_SUCCESSOR), 1);
    ck_assert_str_eq(last_line, "2 outdated workers continue to serve, because a new one cannot be "
                                "started");
    ck_assert(!service->pool->workers[0].is_outdated);
    ck_assert(!service->pool->workers[1].is_outdated);
    ck_assert_uint_eq(n_lines_of(REASON_SUCCESSOR), 0);
}
END_TEST

START_TEST(test_a_useless_worker_is_left_to_the_caller_to_report)
{
    failed_starts_note_useless(&service->failed_starts);
    ck_assert(service->failed_starts.has_any);
    ck_assert_str_eq(service->failed_starts.error, "");
    ck_assert_uint_eq(n_lines, 0);
    ck_assert_uint_eq(service->statistics->n_failed_starts, 0);
}
END_TEST

SUITE("failed_starts", set_up, tear_down, test_a_failure_is_kept_counted_and_reported,
      test_a_long_reason_is_cut, test_a_success_ends_the_reason_and_not_that_there_was_one,
      test_each_failure_is_reported_while_nobody_serves,
      test_a_failure_is_reported_once_a_minute_while_others_serve,
      test_other_options_are_reported_on_at_once,
      test_outdated_workers_stay_if_their_successor_fails,
      test_a_useless_worker_is_left_to_the_caller_to_report)
