/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* As process 1, in a namespace of its own, which takes root. What process 1 finds is its exit
 * status. */
#include "base/time.h"
#include "dispatcherd/control_scene.h"
#include "dispatcherd/manager.h"
#include "dispatcherd/orphans.h"
#include "support/suite.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    IS_SKIPPED = 77
};

/* A child ends at once, and leaves a child of its own, which ends later. */
static pid_t leave_orphan(void)
{
    pid_t child = fork();

    if (child == 0) {
        if (fork() == 0)
            while (getppid() != 1)
                (void)sched_yield();
        _exit(EXIT_SUCCESS);
    }
    return child;
}

static bool has_child(pid_t pid)
{
    siginfo_t info = {0};

    return waitid(pid > 0 ? P_PID : P_ALL, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

static int reap_all(struct manager *manager)
{
    if (orphans_start(manager) < 0)
        return EXIT_FAILURE;
    leave_orphan();
    /* Until there is neither the child nor its orphan. */
    while (has_child(0))
        if (sd_event_run(manager->context.event, 10 * USEC_PER_MSEC) < 0)
            return EXIT_FAILURE;
    return EXIT_SUCCESS;
}

/* The worker is left to worker/life.c, which has to learn how it ended; orphans behind it are
 * reaped when that has been done. */
static int leave_workers(struct manager *manager)
{
    static struct control_scene scene;
    siginfo_t info = {0};
    pid_t pid = fork();

    if (pid == 0)
        _exit(42);
    scene_init(&scene, "[SERVICE=SMTP]\nPORT=25\nIMAGE=/bin/true\n");
    scene_add_worker(&scene, 0, 0, pid);
    manager->services = scene.services;
    manager->n_services = 1;
    if (orphans_start(manager) < 0 || waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) < 0)
        return EXIT_FAILURE;
    leave_orphan();
    for (unsigned i = 0; i < 20; i++)
        if (sd_event_run(manager->context.event, USEC_PER_MSEC) < 0)
            return EXIT_FAILURE;
    if (!has_child(pid) || waitid(P_PID, (id_t)pid, &info, WEXITED) < 0 || info.si_status != 42)
        return EXIT_FAILURE;
    while (has_child(0))
        if (sd_event_run(manager->context.event, 10 * USEC_PER_MSEC) < 0)
            return EXIT_FAILURE;
    return EXIT_SUCCESS;
}

/* Runs the function as process 1. Returns its result. */
static int run_as_init(int (*function)(struct manager *manager))
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        if (unshare(CLONE_NEWPID) < 0)
            _exit(IS_SKIPPED);
        pid_t init = fork();
        if (init == 0) {
            static struct manager manager;

            if (getpid() != 1 || sd_event_new(&manager.context.event) < 0)
                _exit(EXIT_FAILURE);
            _exit(function(&manager));
        }
        _exit(waitpid(init, &status, 0) == init && WIFEXITED(status) ? WEXITSTATUS(status)
                                                                     : EXIT_FAILURE);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status));
    if (WEXITSTATUS(status) == IS_SKIPPED) {
        printf("# skipped: only root can be process 1 of a namespace\n");
        return EXIT_SUCCESS;
    }
    return WEXITSTATUS(status);
}

START_TEST(test_process_1_reaps_orphans)
{
    ck_assert_int_eq(run_as_init(reap_all), EXIT_SUCCESS);
}
END_TEST

START_TEST(test_a_worker_is_not_reaped_as_an_orphan)
{
    ck_assert_int_eq(run_as_init(leave_workers), EXIT_SUCCESS);
}
END_TEST

/* Its children are its workers alone, and SIGCHLD stays as it is. */
START_TEST(test_another_process_reaps_nobody)
{
    struct manager manager = {0};
    sigset_t set;

    ck_assert_int_ge(sd_event_new(&manager.context.event), 0);
    ck_assert_int_eq(orphans_start(&manager), 0);
    ck_assert(!timer_is_made(&manager.orphans_timer));
    ck_assert_int_eq(sigprocmask(SIG_SETMASK, NULL, &set), 0);
    ck_assert(!sigismember(&set, SIGCHLD));
    orphans_end(&manager);
    sd_event_unref(manager.context.event);
}
END_TEST

SUITE("orphans", NULL, NULL, test_process_1_reaps_orphans, test_a_worker_is_not_reaped_as_an_orphan,
      test_another_process_reaps_nobody)
