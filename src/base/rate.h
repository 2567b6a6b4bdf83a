/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* A limit for how often something may happen: a burst, then one each interval. Pure: the caller
 * tells the time. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct rate {
    uint64_t interval_usec; /* between two, once the burst is used up */
    unsigned burst;         /* how many may come at once */
    uint64_t empty_at;      /* when the whole burst is there again */
};

/* Returns true if one more may happen at `now` (microseconds of any clock that does not go back),
 * and counts it. */
bool rate_take(struct rate *rate, uint64_t now);
