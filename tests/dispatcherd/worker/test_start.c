/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/config/fingerprint.h"
#include "dispatcherd/control_scene.h"
#include "dispatcherd/played_workers.h"
#include "dispatcherd/process/spawner.h"
#include "dispatcherd/report/events.h"
#include "dispatcherd/worker/start.h"
#include "support/suite.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct control_scene scene;
static struct service *service;
static char last_event[64], last_line[1024], last_reason[64];

static void take(_unused_ struct follower *follower, json_t *event)
{
    const char *reason = json_string_value(json_object_get(event, "reason"));

    snprintf(last_event, sizeof(last_event), "%s",
             json_string_value(json_object_get(event, "event")));
    snprintf(last_line, sizeof(last_line), "%s", json_string_value(json_object_get(event, "text")));
    snprintf(last_reason, sizeof(last_reason), "%s", reason ? reason : "");
}

static struct follower follower = {.take = take};

static void set_up(void)
{
    scene_init(&scene, "[SERVICE=TEST]\nPORT=25\nIMAGE=/bin/cat\nMAX_PROCS=4\n");
    scene.context.spawner = &played_spawner;
    service = scene.services[0];
    last_event[0] = last_line[0] = last_reason[0] = '\0';
    events_follow(&follower);
}

static void tear_down(void)
{
    events_leave(&follower);
    scene_clear(&scene);
    played_workers_clear();
}

START_TEST(test_a_started_worker_is_in_its_slot_and_watched)
{
    worker_start(service, 2, REASON_ALL_BUSY);
    const struct worker *worker = service->workers[2];
    ck_assert_ptr_nonnull(worker);
    ck_assert_int_eq(worker->state, WORKER_STARTING);
    ck_assert_int_eq(worker->start_reason, REASON_ALL_BUSY);
    ck_assert_int_ge(worker->channel, 0);
    ck_assert_ptr_nonnull(worker->channel_source);
    ck_assert(timer_is_set(&worker->limit_timer));
    ck_assert_int_eq(service->pool->workers[2].state, POOL_WORKER_STARTING);
    ck_assert_uint_eq(service->pool->n_starting, 1);
    ck_assert_uint_eq(service->state->fingerprints[2], fingerprint_of(service->options));
    ck_assert_str_eq(last_event, "worker started");
    ck_assert_str_eq(last_reason, decision_reason_to_string(REASON_ALL_BUSY));
    ck_assert(!service->failed_starts.has_any);
}
END_TEST

START_TEST(test_a_start_that_fails_is_counted_and_leaves_nothing)
{
    played_workers_fail("its unit is masked");
    worker_start(service, 0, REASON_MINIMUM);
    ck_assert_ptr_null(service->workers[0]);
    ck_assert_int_eq(service->pool->workers[0].state, POOL_WORKER_NONE);
    ck_assert_uint_eq(service->pool->n_failed_starts, 1);
    ck_assert_uint_eq(service->pool->n_starting, 0);
    ck_assert_uint_eq(service->statistics->n_failed_starts, 1);
    ck_assert_str_eq(last_line, "cannot start a worker: its unit is masked");
    worker_start(service, 0, REASON_MINIMUM);
    ck_assert_uint_eq(service->pool->n_failed_starts, 2);
}
END_TEST

/* A spawner that gives no reason in words. */
static int fail_without_words(_unused_ const struct service_options *options,
                              _unused_ struct spawned *ret, _unused_ char *error,
                              _unused_ size_t error_size)
{
    return -EAGAIN;
}

START_TEST(test_without_a_reason_the_errno_is_it)
{
    static const struct spawner silent = {.name = "silent", .start = fail_without_words};

    scene.context.spawner = &silent;
    worker_start(service, 0, REASON_MINIMUM);
    ck_assert_str_eq(last_line, "cannot start a worker: Resource temporarily unavailable");
}
END_TEST

/* Starts a worker that nobody can watch: its channel is a file, which epoll(7) refuses. */
static pid_t unwatched_pid;

static int start_unwatchable(_unused_ const struct service_options *options, struct spawned *ret,
                             _unused_ char *error, _unused_ size_t error_size)
{
    unwatched_pid = fork();
    if (unwatched_pid == 0)
        for (;;)
            pause();
    *ret = (struct spawned){.channel = open("/dev/null", O_RDWR | O_CLOEXEC), .pid = unwatched_pid};
    return 0;
}

START_TEST(test_a_child_that_cannot_be_watched_is_killed_and_reaped)
{
    static const struct spawner odd = {.name = "odd", .start = start_unwatchable};

    scene.context.spawner = &odd;
    worker_start(service, 0, REASON_MINIMUM);
    ck_assert_ptr_null(service->workers[0]);
    ck_assert_int_eq(service->pool->workers[0].state, POOL_WORKER_NONE);
    ck_assert_uint_eq(service->pool->n_starting, 0);
    ck_assert_uint_eq(service->statistics->n_failed_starts, 1);
    ck_assert_ptr_nonnull(strstr(last_line, "cannot watch the new worker: "));
    ck_assert_int_eq(kill(unwatched_pid, 0), -1);
    ck_assert_int_eq(errno, ESRCH);
    ck_assert_int_eq(waitpid(unwatched_pid, NULL, WNOHANG), -1);
}
END_TEST

/* By the spawner for programs: the process is a child, and its end is seen. */
START_TEST(test_a_child_is_watched_until_its_end)
{
    scene.context.spawner = &spawner_self;
    worker_start(service, 0, REASON_MINIMUM);
    const struct worker *worker = service->workers[0];
    ck_assert_ptr_nonnull(worker);
    ck_assert(worker->is_child);
    ck_assert_int_gt(worker->pid, 0);
    ck_assert_ptr_nonnull(worker->exit_source);
    ck_assert_int_eq(kill(worker->pid, SIGKILL), 0);
    while (service->workers[0])
        ck_assert_int_ge(sd_event_run(scene.context.event, UINT64_MAX), 0);
    ck_assert_int_eq(service->pool->workers[0].state, POOL_WORKER_NONE);
}
END_TEST

/* Connections that wait for a descriptor do not keep a worker from starting. */
START_TEST(test_a_start_gives_up_the_reserve)
{
    ck_assert(reserve_fill(&scene.context.reserve));
    worker_start(service, 0, REASON_MINIMUM);
    ck_assert_ptr_nonnull(service->workers[0]);
    ck_assert_uint_eq(scene.context.reserve.n, 0);
}
END_TEST

SUITE("start", set_up, tear_down, test_a_started_worker_is_in_its_slot_and_watched,
      test_a_start_that_fails_is_counted_and_leaves_nothing, test_without_a_reason_the_errno_is_it,
      test_a_child_that_cannot_be_watched_is_killed_and_reaped,
      test_a_child_is_watched_until_its_end, test_a_start_gives_up_the_reserve)
