/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Spans of time: how many, the shortest, the longest, and the average. Plain data without pointers;
 * all zero is the beginning. */
#pragma once

#include <stdint.h>

/* In microseconds. */
struct span {
    uint64_t n;
    uint64_t sum;
    uint64_t min;
    uint64_t max;
};

static inline void span_count(struct span *span, uint64_t usec)
{
    if (span->n == 0 || usec < span->min)
        span->min = usec;
    if (usec > span->max)
        span->max = usec;
    span->sum += usec;
    span->n++;
}

/* 0 if there were none. */
static inline uint64_t span_average(const struct span *span)
{
    return span->n > 0 ? span->sum / span->n : 0;
}
