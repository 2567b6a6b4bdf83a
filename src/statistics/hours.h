/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Events per hour. Hours begin with the first event, not with the clock (dispatcherctl(1)). Plain
 * data without pointers: it may be in memory that outlives a process. */
#pragma once

#include <stdint.h>

/* Times are CLOCK_MONOTONIC, in microseconds. */
struct hours {
    uint64_t started_at;
    uint64_t n_total;
    uint64_t n_completed; /* hours */
    uint64_t n_running;   /* events in the present hour */
    uint64_t min;         /* of the completed hours */
    uint64_t max;
};

void hours_start(struct hours *hours, uint64_t now);

void hours_count(struct hours *hours, uint64_t now);

struct hours_summary {
    uint64_t n_completed; /* 0: there is no min and max yet, and average is n_running */
    uint64_t n_running;
    uint64_t min;
    uint64_t max;
    double average; /* over the whole time */
};

struct hours_summary hours_summary(const struct hours *hours, uint64_t now);
