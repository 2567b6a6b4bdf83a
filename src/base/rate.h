/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Limits how often something may happen: a burst, then once each interval. Pure: the caller
 * provides the time. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct rate {
    uint64_t interval_usec; /* between two events, once the burst is used up */
    unsigned burst;         /* how many events may come at once */
    uint64_t empty_at;      /* when a whole burst is available again */
};

/* Returns true if one more event may happen at `now` (microseconds of any clock that does not go
 * back), and counts it. */
bool rate_take(struct rate *rate, uint64_t now);
