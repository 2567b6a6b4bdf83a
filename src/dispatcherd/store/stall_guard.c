/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/store/stall_guard.h"

#include "base/fd.h"
#include "base/macro.h"
#include "base/time.h"

#include <errno.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

/* The longest wait. Clients of other services do not notice a pause of this length. */
#define TICK_USEC (5 * USEC_PER_MSEC)

/* See timer_create(2); older versions of glibc lack the name. */
#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

/* The handler interrupts the thread that writes the other fields, so no memory order is needed. */
static struct {
    timer_t timer;
    bool has_timer;
    unsigned n_seen; /* n_begun at the last tick; written by the handler */
    volatile unsigned n_begun;
    volatile sig_atomic_t is_ticking;
    volatile sig_atomic_t is_open;    /* between begin and end */
    volatile sig_atomic_t has_ticked; /* since the begin */
} guard;

static void set_timer(uint64_t usec)
{
    const struct timespec span = {.tv_nsec = (long)(usec * NSEC_PER_USEC)};
    const struct itimerspec times = {.it_value = span, .it_interval = span};

    (void)timer_settime(guard.timer, 0, &times, NULL);
}

static void on_tick(_unused_ int number)
{
    int saved = errno;

    if (guard.is_open) {
        guard.has_ticked = 1;
    } else if (guard.n_begun == guard.n_seen) {
        guard.is_ticking = 0;
        set_timer(0);
    }
    guard.n_seen = guard.n_begun;
    errno = saved;
}

static int change_mask(int how)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGALRM);
    return sigprocmask(how, &set, NULL);
}

void stall_guard_hold(void)
{
    (void)change_mask(SIG_BLOCK);
}

void stall_guard_release(void)
{
    (void)change_mask(SIG_UNBLOCK);
}

int stall_guard_start(void)
{
    const struct sigaction action = {.sa_handler = on_tick, .sa_flags = SA_RESTART};
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGALRM};

    event.sigev_notify_thread_id = gettid();
    if (sigaction(SIGALRM, &action, NULL) < 0 || change_mask(SIG_UNBLOCK) < 0 ||
        timer_create(CLOCK_MONOTONIC, &event, &guard.timer) < 0)
        return -errno;
    guard.has_timer = true;
    return 0;
}

void stall_guard_stop(void)
{
    if (guard.has_timer)
        (void)timer_delete(guard.timer);
    guard.has_timer = false;
    guard.is_ticking = 0;
}

void stall_guard_begin(void)
{
    guard.has_ticked = 0;
    guard.is_open = 1;
    /* Before is_ticking is read, so that the handler does not stop the timer in between. */
    guard.n_begun++;
    if (guard.is_ticking || !guard.has_timer)
        return;
    guard.is_ticking = 1;
    set_timer(TICK_USEC);
}

bool stall_guard_end(uint64_t since)
{
    guard.is_open = 0;
    if (!guard.has_ticked)
        return false;
    return time_now_usec(CLOCK_MONOTONIC) - since >= TICK_USEC / 2;
}

bool stall_guard_close(int fd, uint64_t since)
{
    stall_guard_begin();
    fd_close(fd);
    return stall_guard_end(since);
}
