/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/orphans.h"

#include "base/time.h"
#include "dispatcherd/core/worker.h"
#include "dispatcherd/manager.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

/* Until a worker that has ended is reaped, waitid(2) does not show the orphans that ended after it.
 */
#define RETRY_USEC          (100 * USEC_PER_MSEC)
#define RETRY_ACCURACY_USEC (USEC_PER_SEC / 4)

static bool is_worker(const struct manager *manager, pid_t pid)
{
    for (size_t i = 0; i < manager->n_services; i++)
        for (unsigned slot = 0; slot < POOL_WORKERS_MAX; slot++) {
            const struct worker *worker = manager->services[i]->workers[slot];

            if (worker && worker->is_child && worker->pid == pid)
                return true;
        }
    return false;
}

/* Returns false if a worker must be reaped first. */
static bool reap(const struct manager *manager)
{
    for (;;) {
        siginfo_t info = {0};

        if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0)
            return true;
        if (is_worker(manager, info.si_pid))
            return false;
        (void)waitid(P_PID, (id_t)info.si_pid, &info, WEXITED | WNOHANG);
    }
}

static void on_retry(void *userdata)
{
    struct manager *manager = userdata;

    if (!reap(manager))
        timer_set_in(&manager->orphans_timer, RETRY_USEC);
}

static int on_child(_unused_ sd_event_source *source, _unused_ const struct signalfd_siginfo *info,
                    void *userdata)
{
    on_retry(userdata);
    return 0;
}

int orphans_start(struct manager *manager)
{
    sigset_t set;

    if (getpid() != 1)
        return 0;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return -errno;
    int r = timer_init(&manager->orphans_timer, manager->context.event, RETRY_ACCURACY_USEC,
                       on_retry, manager);
    timer_set_at(&manager->orphans_timer, 0);
    if (r >= 0)
        r = sd_event_add_signal(manager->context.event, NULL, SIGCHLD, on_child, manager);
    return r < 0 ? r : 0;
}

void orphans_end(struct manager *manager)
{
    timer_clear(&manager->orphans_timer);
}
