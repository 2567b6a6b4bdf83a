/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Time that stands still until the test lets it go by, for up to an hour: Check can count no more.
 * For one source file of a program: all of the program then calls the clock_gettime(2) below, for
 * each clock. The kernel's timers know nothing of it, so an event loop must not wait for one:
 * sd_event_run(event, 0). */
#pragma once

#include "base/time.h"

#include <time.h>

static uint64_t simulated_now = 1000 * USEC_PER_SEC;

int clock_gettime(clockid_t clock, struct timespec *ret)
{
    (void)clock;
    ret->tv_sec = (time_t)(simulated_now / USEC_PER_SEC);
    ret->tv_nsec = (long)(simulated_now % USEC_PER_SEC * NSEC_PER_USEC);
    return 0;
}

static inline void clock_advance(uint64_t usec)
{
    simulated_now += usec;
}
