/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The main thread while the others serve: waits for signals, feeds the watchdog, and makes sure
 * that a drain comes to its end. */
#include "libdispatcher/internal.h"

#include "base/log.h"
#include "base/str.h"
#include "base/time.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

static void end_at_once(dispatcher_worker *worker)
{
    unsigned n = sessions_busy(&worker->sessions);
    sigset_t term;

    log_err("libdispatcher: received a second SIGTERM; closing %u %s", n,
            str_plural(n, "session", "sessions"));
    signal(SIGTERM, SIG_DFL);
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    raise(SIGTERM);
    pthread_sigmask(SIG_UNBLOCK, &term, NULL);
}

static void handle_signal(dispatcher_worker *worker, bool *has_sigterm)
{
    struct signalfd_siginfo info;

    if (read(worker->signal_fd, &info, sizeof(info)) != sizeof(info))
        return;
    if (*has_sigterm)
        end_at_once(worker);
    *has_sigterm = true;
    /* The sender wants the process to end: for instance a manager that stops the unit or the
     * machine. */
    receiver_drain(worker, DISPATCHER_DRAIN_STOP);
}

static int poll_timeout_msec(uint64_t next, uint64_t now)
{
    if (next == USEC_INFINITY)
        return -1;
    if (next <= now)
        return 0;
    uint64_t msec = (next - now + USEC_PER_MSEC - 1) / USEC_PER_MSEC;
    return msec > 3600 * 1000 ? 3600 * 1000 : (int)msec;
}

static void wait_and_handle(dispatcher_worker *worker, int timeout_msec, bool *has_sigterm)
{
    struct pollfd fds[] = {
        {.fd = worker->signal_fd, .events = POLLIN},
        {.fd = worker->wake_fd, .events = POLLIN},
    };
    uint64_t count;

    if (poll(fds, ELEMENTSOF(fds), timeout_msec) <= 0)
        return;
    if (fds[1].revents)
        (void)!read(worker->wake_fd, &count, sizeof(count));
    if (fds[0].revents)
        handle_signal(worker, has_sigterm);
}

void attend_to_life(dispatcher_worker *worker)
{
    struct manager manager = manager_start();
    bool has_sigterm = false;
    uint64_t cut_at, next;

    /* If a receiver is stuck, this waits for it, and the watchdog is not fed. */
    while (!receiver_is_done(worker, &cut_at)) {
        uint64_t now = time_now_usec(CLOCK_MONOTONIC);

        if (now >= cut_at) {
            unsigned n = sessions_busy(&worker->sessions);

            log_err("libdispatcher: time limit for sessions reached; closing %u %s", n,
                    str_plural(n, "session", "sessions"));
            _exit(EXIT_FAILURE);
        }
        manager_attend(&manager, now);
        next = alert_attend(&worker->alert, worker->channel, now);
        uint64_t tls_next = tls_attend(worker, now);
        next = tls_next < next ? tls_next : next;
        next = manager.next_at < next ? manager.next_at : next;
        wait_and_handle(worker, poll_timeout_msec(next < cut_at ? next : cut_at, now),
                        &has_sigterm);
    }
}
