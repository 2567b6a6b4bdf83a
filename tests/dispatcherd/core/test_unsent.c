/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/control_scene.h"
#include "dispatcherd/core/unsent.h"
#include "support/suite.h"

static struct control_scene scene;
static struct service *service;
static struct worker *one, *two;

static void set_up(void)
{
    scene_init(&scene, "[SERVICE=SMTP]\nIMAGE=/bin/true\nPORT=2525\nMAX_PROCS=2\nMAX_CONNS=20\n");
    service = scene.services[0];
    one = scene_add_worker(&scene, 0, 0, 100);
    two = scene_add_worker(&scene, 0, 1, 101);
}

static void tear_down(void)
{
    scene_clear(&scene);
}

static void check(unsigned n_one, unsigned n_two)
{
    ck_assert_uint_eq(one->n_unsent, n_one);
    ck_assert_uint_eq(two->n_unsent, n_two);
    ck_assert_uint_eq(service->unsent.n, n_one + n_two);
}

START_TEST(test_nothing_is_unsent_at_first)
{
    check(0, 0);
    ck_assert(TAILQ_EMPTY(&service->unsent.workers));
}
END_TEST

START_TEST(test_a_worker_is_in_the_queue_once)
{
    for (uint64_t now = 1000; now < 1020; now++)
        unsent_begin(one, now);
    check(20, 0);
    ck_assert_ptr_eq(TAILQ_FIRST(&service->unsent.workers), one);
    ck_assert_ptr_null(TAILQ_NEXT(one, unsent_link));
    ck_assert_uint_eq(service->unsent.since, 1000);
}
END_TEST

START_TEST(test_the_worker_that_got_one_first_comes_first)
{
    unsent_begin(two, 1000);
    unsent_begin(one, 1001);
    unsent_begin(two, 1002);
    check(1, 2);
    ck_assert_ptr_eq(TAILQ_FIRST(&service->unsent.workers), two);
    ck_assert_ptr_eq(TAILQ_NEXT(two, unsent_link), one);
    ck_assert_ptr_null(TAILQ_NEXT(one, unsent_link));
    ck_assert_uint_eq(service->unsent.since, 1000);
}
END_TEST

START_TEST(test_a_worker_stays_until_its_last_is_sent)
{
    unsent_begin(one, 1000);
    unsent_begin(one, 1001);
    unsent_begin(one, 1002);
    unsent_begin(two, 1003);
    unsent_end(one, 2);
    check(1, 1);
    ck_assert_ptr_eq(TAILQ_FIRST(&service->unsent.workers), one);
    unsent_end(one, 1);
    check(0, 1);
    ck_assert_ptr_eq(TAILQ_FIRST(&service->unsent.workers), two);
    unsent_end(two, 1);
    check(0, 0);
    ck_assert(TAILQ_EMPTY(&service->unsent.workers));
}
END_TEST

/* The channel had room for none, or there are none to take back. */
START_TEST(test_none_that_end_change_nothing)
{
    unsent_end(one, 0);
    check(0, 0);
    unsent_begin(one, 1000);
    unsent_end(one, 0);
    unsent_end(two, 0);
    check(1, 0);
    ck_assert_ptr_eq(TAILQ_FIRST(&service->unsent.workers), one);
}
END_TEST

START_TEST(test_the_time_begins_anew_when_all_were_sent)
{
    unsent_begin(one, 1000);
    unsent_end(one, 1);
    unsent_begin(two, 2000);
    unsent_begin(one, 2001);
    ck_assert_uint_eq(service->unsent.since, 2000);
    check(1, 1);
    ck_assert_ptr_eq(TAILQ_FIRST(&service->unsent.workers), two);
}
END_TEST

SUITE("unsent", set_up, tear_down, test_nothing_is_unsent_at_first,
      test_a_worker_is_in_the_queue_once, test_the_worker_that_got_one_first_comes_first,
      test_a_worker_stays_until_its_last_is_sent, test_none_that_end_change_nothing,
      test_the_time_begins_anew_when_all_were_sent)
