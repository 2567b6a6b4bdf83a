/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Limits log lines that strangers can cause at will: a burst of them is logged, and the rest is
 * counted and summed up in one line every ten seconds, so that it does not crowd out other lines.
 * Pure: the caller provides the time, and writes the lines. */
#pragma once

#include "base/rate.h"
#include "base/tally.h"

#include <stdbool.h>
#include <stdint.h>

/* How long lines that are left out are collected before they are summed up. */
#define LOG_LIMIT_SUM_USEC (UINT64_C(10) * 1000 * 1000)

struct log_limit {
    struct rate rate;
    struct tally left_out;
    uint64_t since; /* when the first of them was left out */
};

/* `burst` lines at once, then `per_sec` lines a second. */
#define LOG_LIMIT_INIT(burst_, per_sec)                                                            \
    {                                                                                              \
        .rate = {.burst = (burst_), .interval_usec = UINT64_C(1000000) / (per_sec) }               \
    }

/* Returns true if the line may be written. Otherwise it is counted under `name`, which is what the
 * summary calls it: who caused the line, and why. If the log has no room (`has_room`, see
 * log_has_room_for_bulk()), no line may be written. */
bool log_limit_take(struct log_limit *limit, uint64_t now, bool has_room, const char *name);

/* When the next summary is due; UINT64_MAX: nothing was left out. */
uint64_t log_limit_due_at(const struct log_limit *limit);

/* Returns true with the summary in `text` ("213 lines left out in 10 s: 200 A, 13 B"), if there is
 * one, and starts to count anew. */
bool log_limit_sum_up(struct log_limit *limit, uint64_t now, char text[TALLY_TEXT_BYTES + 64]);
