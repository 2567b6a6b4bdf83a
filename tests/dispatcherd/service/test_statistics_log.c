/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/service/statistics_log.h"

#include "base/time.h"
#include "dispatcherd/control_scene.h"
#include "dispatcherd/report/events.h"
#include "support/suite.h"

#include <stdio.h>
#include <string.h>

static struct control_scene scene;
static unsigned n_lines;
static char last_line[1024];

static void take(_unused_ struct follower *follower, json_t *event)
{
    n_lines++;
    snprintf(last_line, sizeof(last_line), "%s", json_string_value(json_object_get(event, "text")));
}

static struct follower follower = {.take = take};

static void set_up(void)
{
    scene_init(&scene, "IMAGE=/bin/true\n"
                       "[SERVICE=LOUD]\nPORT=2525\nDEBUG=16%100000\n"
                       "[SERVICE=QUIET]\nPORT=2526\n");
    n_lines = 0;
    events_follow(&follower);
}

static void tear_down(void)
{
    events_leave(&follower);
    scene_clear(&scene);
}

static unsigned n_lines_at(uint64_t now)
{
    n_lines = 0;
    statistics_log(scene.services, scene.n_services, now);
    return n_lines;
}

START_TEST(test_only_services_with_the_bit_once_a_minute)
{
    uint64_t now = 1000 * USEC_PER_SEC;

    ck_assert_uint_eq(n_lines_at(now), 1);
    ck_assert_uint_eq(n_lines_at(now + 60 * USEC_PER_SEC - 1), 0);
    ck_assert_uint_eq(n_lines_at(now + 60 * USEC_PER_SEC), 1);
    ck_assert_uint_eq(n_lines_at(now + 60 * USEC_PER_SEC), 0);
}
END_TEST

START_TEST(test_a_line_has_the_counts_and_says_what_they_are)
{
    struct statistics *statistics = scene.services[0]->statistics;

    statistics->n_accepted = 7;
    statistics->n_ended = 5;
    statistics->n_broken = 2;
    ck_assert_uint_eq(n_lines_at(1000 * USEC_PER_SEC), 1);
    const char *expected = "7 accepted, 0 rejected, 5 ended, 2 broken, 0 gone; "
                           "least/average/most: 0/0.0/0 at a time, ";
    ck_assert_msg(strstr(last_line, expected) != NULL, "%s", last_line);
}
END_TEST

SUITE("statistics_log", set_up, tear_down, test_only_services_with_the_bit_once_a_minute,
      test_a_line_has_the_counts_and_says_what_they_are)
