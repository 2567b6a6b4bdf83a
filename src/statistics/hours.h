/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Events an hour, in hours that begin with the counting and not with the clock (dispatcherctl(1)).
 * Plain data without pointers: it may live in memory that outlasts a process. */
#pragma once

#include <stdint.h>

/* Times are CLOCK_MONOTONIC, in microseconds. */
struct hours {
    uint64_t started_at;
    uint64_t n_total;
    uint64_t n_completed; /* hours */
    uint64_t n_running;   /* events of the hour that runs */
    uint64_t min;         /* of the completed ones */
    uint64_t max;
};

void hours_start(struct hours *hours, uint64_t now);

void hours_count(struct hours *hours, uint64_t now);

struct hours_summary {
    uint64_t n_completed; /* 0: min and max say nothing yet, and average is n_running */
    uint64_t n_running;
    uint64_t min;
    uint64_t max;
    double average; /* over all the time that has gone by */
};

struct hours_summary hours_summary(const struct hours *hours, uint64_t now);
