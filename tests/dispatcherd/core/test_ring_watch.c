/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/control_scene.h"
#include "dispatcherd/core/ring_watch.h"
#include "support/suite.h"

#define N_WORKERS 3

static struct control_scene scene;
static struct ring_watch *watch;
static struct worker *workers[N_WORKERS];

static void set_up(void)
{
    scene_init(&scene, "[SERVICE=SMTP]\nIMAGE=/bin/true\nPORT=2525\nMAX_PROCS=3\n");
    watch = &scene.services[0]->ring_watch;
    for (unsigned i = 0; i < N_WORKERS; i++)
        workers[i] = scene_add_worker(&scene, 0, i, (pid_t)(100 + i));
}

static void tear_down(void)
{
    scene_clear(&scene);
}

/* The queue has the workers with these slots, in this order: "201". */
static void check(const struct ring_watch_queue *queue, unsigned n, const char *slots)
{
    const struct worker *worker = TAILQ_FIRST(queue);
    unsigned n_seen = 0;

    for (const char *slot = slots; *slot; slot++, n_seen++) {
        ck_assert_ptr_nonnull(worker);
        ck_assert_uint_eq(worker->slot, (unsigned)(*slot - '0'));
        ck_assert_ptr_eq(worker->watched.queue, queue);
        worker = TAILQ_NEXT(worker, watched.link);
    }
    ck_assert_ptr_null(worker);
    ck_assert_uint_eq(n, n_seen);
}

static void check_both(const char *answering, const char *recent)
{
    check(&watch->answering, watch->n_answering, answering);
    check(&watch->recent, watch->n_recent, recent);
}

START_TEST(test_nobody_is_looked_at_at_first)
{
    check_both("", "");
    for (unsigned i = 0; i < N_WORKERS; i++)
        ck_assert_ptr_null(workers[i]->watched.queue);
}
END_TEST

START_TEST(test_who_comes_is_behind_all_others_of_its_kind)
{
    ring_watch_answering(workers[2]);
    ring_watch_answering(workers[0]);
    ring_watch_answering(workers[1]);
    check_both("201", "");
    ring_watch_answering(workers[2]);
    check_both("012", "");
    ring_watch_recent(workers[1], 5);
    ring_watch_recent(workers[0], 6);
    check_both("2", "10");
    ring_watch_recent(workers[1], 7);
    check_both("2", "01");
}
END_TEST

START_TEST(test_a_worker_is_of_one_kind)
{
    ring_watch_recent(workers[0], 5);
    ring_watch_answering(workers[0]);
    check_both("0", "");
    ring_watch_recent(workers[0], 6);
    check_both("", "0");
}
END_TEST

START_TEST(test_news_are_recent_until_the_last_time_that_was_set)
{
    ring_watch_recent(workers[0], 5);
    ck_assert_uint_eq(workers[0]->watched.until, 5);
    ring_watch_recent(workers[0], 9);
    ck_assert_uint_eq(workers[0]->watched.until, 9);
}
END_TEST

START_TEST(test_who_is_not_looked_at_any_more_is_in_no_queue)
{
    ring_watch_answering(workers[0]);
    ring_watch_answering(workers[1]);
    ring_watch_recent(workers[2], 5);
    ring_watch_end(workers[0]);
    check_both("1", "2");
    ck_assert_ptr_null(workers[0]->watched.queue);
    ring_watch_end(workers[2]);
    check_both("1", "");
    ring_watch_end(workers[1]);
    check_both("", "");
}
END_TEST

START_TEST(test_an_end_may_come_twice)
{
    ring_watch_answering(workers[0]);
    ring_watch_end(workers[1]);
    check_both("0", "");
    ring_watch_end(workers[0]);
    ring_watch_end(workers[0]);
    check_both("", "");
    ring_watch_answering(workers[0]);
    check_both("0", "");
}
END_TEST

SUITE("ring_watch", set_up, tear_down, test_nobody_is_looked_at_at_first,
      test_who_comes_is_behind_all_others_of_its_kind, test_a_worker_is_of_one_kind,
      test_news_are_recent_until_the_last_time_that_was_set,
      test_who_is_not_looked_at_any_more_is_in_no_queue, test_an_end_may_come_twice)
