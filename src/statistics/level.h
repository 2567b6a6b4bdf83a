/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* A number that goes up and down: its minimum, its maximum, and its average over time. Plain data
 * without pointers: it may be in memory that outlives a process. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* All times are CLOCK_MONOTONIC, in microseconds. */
struct level {
    uint64_t started_at;
    uint64_t changed_at;
    uint64_t area_sec;   /* sum of value times time, in whole seconds, */
    uint64_t area_usec;  /* and its remainder of less than a second */
    uint64_t held_until; /* see level_resume(); 0: not held */
    uint32_t value;
    uint32_t held_value; /* its value after that */
    uint32_t min;        /* since it was first above 0 */
    uint32_t max;
};

/* Begins with 0. */
void level_start(struct level *level, uint64_t now);

/* Sets the value from now on. */
void level_set(struct level *level, uint32_t value, uint64_t now);

/* A successor continues, and learns the value only bit by bit: for LEVEL_RESUME_USEC, or until the
 * value is as high as it was, lower values are ignored. */
void level_resume(struct level *level, uint64_t now);

#define LEVEL_RESUME_USEC UINT64_C(10000000)

struct level_summary {
    uint32_t min; /* all are 0 if the level was never above 0 */
    uint32_t max;
    double average; /* since the start */
};

struct level_summary level_summary(const struct level *level, uint64_t now);
