/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Points in time and spans, in microseconds. Durations come from the monotonic clock, which never
 * jumps; the real-time clock is for people to read. */
#pragma once

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define USEC_PER_SEC  UINT64_C(1000000)
#define USEC_PER_MSEC UINT64_C(1000)
#define NSEC_PER_USEC UINT64_C(1000)
#define USEC_INFINITY UINT64_MAX

static inline uint64_t time_now_usec(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * USEC_PER_SEC + (uint64_t)now.tv_nsec / NSEC_PER_USEC;
}

/* For what is done at most once in `interval`: returns true, with `*last_at` set to `now`, if the
 * last time was at least that long ago, or if `*last_at` is 0: never. */
static inline bool time_take_turn(uint64_t *last_at, uint64_t now, uint64_t interval)
{
    if (*last_at > 0 && now < *last_at + interval)
        return false;
    *last_at = now;
    return true;
}

/* a + b, or USEC_INFINITY if that would overflow. */
static inline uint64_t time_add_usec(uint64_t a, uint64_t b)
{
    return a > USEC_INFINITY - b ? USEC_INFINITY : a + b;
}
