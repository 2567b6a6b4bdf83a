/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* A unit that outlives the process that said hello, and how either is ended. */
#include "base/fd.h"
#include "base/time.h"
#include "dispatcherd/control_scene.h"
#include "dispatcherd/process/spawner.h"
#include "dispatcherd/report/events.h"
#include "dispatcherd/worker/linger.h"
#include "support/suite.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static struct control_scene scene;
static struct service *service;
static struct worker *worker;
static int theirs;
static char lines[2048];

static void take(_unused_ struct follower *follower, json_t *event)
{
    size_t length = strlen(lines);

    snprintf(lines + length, sizeof(lines) - length, "%s\n",
             json_string_value(json_object_get(event, "text")));
}

static struct follower follower = {.take = take};

static void set_up(void)
{
    int pair[2];

    scene_init(&scene, "[SERVICE=SMTP]\nPORT=25\nIMAGE=/bin/true\n");
    scene.context.spawner = &spawner_unit;
    service = scene.services[0];
    worker = scene_add_worker(&scene, 0, 0, 4711);
    worker->is_child = false;
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    worker->peer = pair[0];
    theirs = pair[1];
    lines[0] = '\0';
    events_follow(&follower);
}

static void tear_down(void)
{
    events_leave(&follower);
    fd_close(theirs);
    scene_clear(&scene);
}

/* The slot must not be free before: there would be more units than MAX_PROCS. */
START_TEST(test_it_is_over_when_nobody_has_the_other_end)
{
    worker_linger_begin(worker);
    ck_assert(!worker_linger_is_over(worker));
    theirs = fd_close(theirs);
    ck_assert(worker_linger_is_over(worker));
    ck_assert_str_eq(lines, "");
}
END_TEST

START_TEST(test_it_is_looked_at_less_and_less_often)
{
    uint64_t before = 0;

    worker_linger_begin(worker);
    ck_assert_uint_eq(worker->linger_look_usec, 20 * USEC_PER_MSEC);
    for (unsigned i = 0; i < 10; i++) {
        before = worker->linger_look_usec;
        ck_assert(!worker_linger_is_over(worker));
        ck_assert_uint_ge(worker->linger_look_usec, before);
    }
    ck_assert_uint_eq(worker->linger_look_usec, USEC_PER_SEC / 2);
}
END_TEST

/* Here there is no helper that could kill it: that is reported, with the command for it. */
START_TEST(test_after_ten_seconds_it_is_killed_and_again_later)
{
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);

    strcpy(worker->unit, "dispatcherd-smtp-worker@1.service");
    worker_linger_begin(worker);
    ck_assert_uint_ge(worker->linger_kill_at, now + 10 * USEC_PER_SEC);
    ck_assert_uint_le(worker->linger_kill_at, time_now_usec(CLOCK_MONOTONIC) + 10 * USEC_PER_SEC);
    worker->linger_kill_at = now;
    ck_assert(!worker_linger_is_over(worker));
    ck_assert_ptr_nonnull(
        strstr(lines, "worker 4711 has exited, but its unit is still active; killing the unit\n"));
    if (access("/run/dispatcherd-worker/.kill", F_OK) < 0)
        ck_assert_ptr_nonnull(strstr(lines, "to kill it: systemctl kill --signal=KILL "
                                            "dispatcherd-smtp-worker@1.service\n"));
    ck_assert_uint_ge(worker->linger_kill_at, now + 30 * USEC_PER_SEC);
    lines[0] = '\0';
    ck_assert(!worker_linger_is_over(worker));
    ck_assert_str_eq(lines, "");
}
END_TEST

START_TEST(test_a_unit_is_no_child)
{
    ck_assert(worker_is_unit(worker));
    worker->is_child = true;
    ck_assert(!worker_is_unit(worker));
    worker->is_child = false;
    scene.context.spawner = &spawner_self;
    ck_assert(!worker_is_unit(worker));
}
END_TEST

START_TEST(test_only_a_child_is_killed_directly)
{
    int status;
    pid_t pid = fork();

    if (pid == 0)
        for (;;)
            pause();
    worker->pid = pid;
    worker->pidfd = pidfd_open(pid, 0);
    ck_assert_int_ge(worker->pidfd, 0);
    worker_kill_child(worker);
    ck_assert_int_eq(waitpid(pid, &status, WNOHANG), 0);
    worker->is_child = true;
    worker_kill(worker);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFSIGNALED(status));
    ck_assert_int_eq(WTERMSIG(status), SIGKILL);
    ck_assert_str_eq(lines, "");
}
END_TEST

static unsigned n_dispatched;

static void note_dispatch(_unused_ struct service *of)
{
    n_dispatched++;
}

START_TEST(test_the_end_frees_the_slot_for_another)
{
    service->dispatch = note_dispatch;
    worker_bury(worker);
    ck_assert_ptr_null(service->workers[0]);
    ck_assert_int_eq(service->pool->workers[0].state, POOL_WORKER_NONE);
    ck_assert_uint_eq(n_dispatched, 1);
}
END_TEST

SUITE("linger", set_up, tear_down, test_it_is_over_when_nobody_has_the_other_end,
      test_it_is_looked_at_less_and_less_often, test_after_ten_seconds_it_is_killed_and_again_later,
      test_a_unit_is_no_child, test_only_a_child_is_killed_directly,
      test_the_end_frees_the_slot_for_another)
