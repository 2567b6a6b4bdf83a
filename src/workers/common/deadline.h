/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* How long a client may take: normally, and while the service is under stress, when slow clients
 * keep places that others wait for. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* CLOCK_MONOTONIC, in microseconds. */
struct deadline {
    uint64_t usual;
    uint64_t stressed; /* counts instead during stress, if it is earlier */
};

/* That long after `from`, in microseconds. */
struct deadline deadline_after(uint64_t from, uint64_t usual_usec, uint64_t stressed_usec);

struct deadline deadline_earlier(struct deadline a, struct deadline b);

/* Whether the service is under stress: whether `stress_fd` (-1: it never is) is readable. */
bool deadline_is_stressed(int stress_fd);

bool deadline_is_past(struct deadline deadline, uint64_t now, int stress_fd);
