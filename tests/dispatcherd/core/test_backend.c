/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/control_scene.h"
#include "dispatcherd/core/backend.h"
#include "protocol/message.h"
#include "support/suite.h"

#include <stdalign.h>
#include <string.h>

static struct control_scene scene;
static struct backends *backends;
static struct worker *one, *two;

static void set_up(void)
{
    scene_init(&scene, "[SERVICE=SMTP]\nIMAGE=/bin/true\nPORT=2525\nMAX_PROCS=2\n");
    backends = &scene.services[0]->backends;
    one = scene_add_worker(&scene, 0, 0, 100);
    two = scene_add_worker(&scene, 0, 1, 101);
}

static void tear_down(void)
{
    scene_clear(&scene);
}

/* The worker reports that; NULL: its trouble is over. */
static bool take(struct worker *worker, const char *trouble)
{
    alignas(8) char bytes[2048];
    struct message_text text = message_text_start(bytes, sizeof(bytes), MESSAGE_ALERT);
    struct message message;

    if (trouble)
        message_text_add(&text, "TEXT", trouble);
    ck_assert_int_eq(message_read(bytes, text.length, &message), 0);
    return backend_take(worker, &message);
}

START_TEST(test_trouble_is_kept_until_it_is_over)
{
    ck_assert_uint_eq(backends->n_in_trouble, 0);
    ck_assert(take(one, "no database"));
    ck_assert(one->is_in_trouble);
    ck_assert_uint_eq(backends->n_in_trouble, 1);
    ck_assert_str_eq(backends->trouble, "no database");
    ck_assert(take(one, NULL));
    ck_assert(!one->is_in_trouble);
    ck_assert_uint_eq(backends->n_in_trouble, 0);
}
END_TEST

START_TEST(test_a_worker_counts_once)
{
    ck_assert(take(one, "no database"));
    ck_assert(take(one, "no cache"));
    ck_assert_uint_eq(backends->n_in_trouble, 1);
    ck_assert_str_eq(backends->trouble, "no cache");
    ck_assert(take(one, NULL));
    ck_assert(take(one, NULL));
    ck_assert_uint_eq(backends->n_in_trouble, 0);
}
END_TEST

START_TEST(test_each_worker_in_trouble_counts)
{
    ck_assert(take(one, "no database"));
    ck_assert(take(two, "no cache"));
    ck_assert_uint_eq(backends->n_in_trouble, 2);
    ck_assert(take(one, NULL));
    ck_assert_uint_eq(backends->n_in_trouble, 1);
    ck_assert(!one->is_in_trouble);
    ck_assert(two->is_in_trouble);
    ck_assert_str_eq(backends->trouble, "no cache");
}
END_TEST

START_TEST(test_a_worker_that_has_ended_does_not_count)
{
    ck_assert(take(one, "no database"));
    ck_assert(take(two, "no database"));
    backend_forget(one);
    ck_assert_uint_eq(backends->n_in_trouble, 1);
    backend_forget(one);
    ck_assert_uint_eq(backends->n_in_trouble, 1);
    backend_forget(two);
    ck_assert_uint_eq(backends->n_in_trouble, 0);
}
END_TEST

START_TEST(test_a_worker_that_has_not_said_hello_reports_nothing)
{
    two->state = WORKER_STARTING;
    ck_assert(!take(two, "no database"));
    ck_assert(!two->is_in_trouble);
    ck_assert_uint_eq(backends->n_in_trouble, 0);
    ck_assert_str_eq(backends->trouble, "");
}
END_TEST

START_TEST(test_workers_report_from_their_hello_to_their_end)
{
    static const enum worker_state states[] = {WORKER_ADOPTED, WORKER_WELCOMED, WORKER_READY,
                                               WORKER_DRAINING};

    for (size_t i = 0; i < ELEMENTSOF(states); i++) {
        two->state = states[i];
        ck_assert(take(two, "no database"));
        ck_assert_uint_eq(backends->n_in_trouble, 1);
        ck_assert(take(two, NULL));
        ck_assert_uint_eq(backends->n_in_trouble, 0);
    }
}
END_TEST

START_TEST(test_a_long_text_is_cut)
{
    char text[1024];

    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    ck_assert(take(one, text));
    ck_assert_uint_eq(strlen(backends->trouble), sizeof(backends->trouble) - 1);
    ck_assert(take(one, "short"));
    ck_assert_str_eq(backends->trouble, "short");
}
END_TEST

SUITE("backend", set_up, tear_down, test_trouble_is_kept_until_it_is_over,
      test_a_worker_counts_once, test_each_worker_in_trouble_counts,
      test_a_worker_that_has_ended_does_not_count,
      test_a_worker_that_has_not_said_hello_reports_nothing,
      test_workers_report_from_their_hello_to_their_end, test_a_long_text_is_cut)
