/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/control_scene.h"
#include "dispatcherd/worker/cause.h"
#include "support/suite.h"

#include <signal.h>

static struct control_scene scene;
static struct worker *worker;

static void set_up(void)
{
    scene_init(&scene, "[SERVICE=SMTP]\nIMAGE=/bin/true\nPORT=2525\nMIN_PROCS=0\n");
    worker = scene_add_worker(&scene, 0, 0, 4711);
    worker->exit_status = -1;
    worker->exit_signal = 0;
}

static void tear_down(void)
{
    scene_clear(&scene);
}

/* Each way in which systemd.exec(5) lets a process of a unit end. */
START_TEST(test_says_of_what_a_worker_died)
{
    static const struct {
        const char *result, *code, *status;
        const char *cause;
        int exit_status, exit_signal;
    } cases[] = {
        {"success", "exited", "0", "exited with status 0", 0, 0},
        {"exit-code", "exited", "127", "exited with status 127", 127, 0},
        {"exit-code", "exited", "203",
         "could not be run (status 203/EXEC): it, or its interpreter, is missing or not executable",
         203, 0},
        {"exit-code", "exited", "226", "could not be set up by systemd (status 226/NAMESPACE)", 226,
         0},
        {"exit-code", "exited", "199", "exited with status 199", 199, 0},
        {"exit-code", "exited", "223", "exited with status 223", 223, 0},
        {"exit-code", "exited", "244", "could not be set up by systemd (status 244/BPF)", 244, 0},
        {"exit-code", "exited", "245", "exited with status 245", 245, 0},
        {"success", "killed", "TERM", "died of signal TERM", -1, SIGTERM},
        {"exit-code", "exited", "3", "exited with status 3", 3, 0},
        {"signal", "killed", "KILL", "died of signal KILL", -1, SIGKILL},
        {"core-dump", "dumped", "SEGV", "died of signal SEGV and dumped core", -1, SIGSEGV},
        {"oom-kill", "killed", "KILL",
         "was killed for lack of memory (MemoryMax= of its unit, or of the machine)", -1, SIGKILL},
        {"watchdog", "dumped", "ABRT",
         "was killed because it did not feed its watchdog (WatchdogSec= of its unit)", -1, SIGABRT},
        {"timeout", "killed", "KILL", "was killed after a time limit of its unit", -1, SIGKILL},
        /* Not from systemd: no more is taken from it than can be shown. */
        {"", "", "", "died of signal ", -1, 0},
        {"exit-code", "exited", "300", "exited with status 300", -1, 0},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        worker->exit_status = -1;
        worker->exit_signal = 0;
        const struct worker_cause cause = {
            .result = cases[i].result, .code = cases[i].code, .status = cases[i].status};

        worker_cause_set(worker, &cause);
        ck_assert_str_eq(worker->cause, cases[i].cause);
        ck_assert_int_eq(worker->exit_status, cases[i].exit_status);
        ck_assert_int_eq(worker->exit_signal, cases[i].exit_signal);
        ck_assert_int_eq(worker->was_stopped, cases[i].exit_signal == SIGTERM);
        ck_assert_ptr_null(worker->last_lines);
    }
}
END_TEST

SUITE("worker_cause", set_up, tear_down, test_says_of_what_a_worker_died)
