/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The unit of a worker, as far as an unprivileged daemon sees it and can have it ended.
 *
 * A unit lives longer than the process that said hello, and may have others. systemd keeps the
 * worker's end of the channel open until the unit is gone, whichever of its processes have closed
 * it: so the channel tells, even after we have shut it down. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum {
    WORKER_UNIT_MAX = 128
};

/* Writes the name of the unit of that service (its name in a unit) that a process belongs to; "" if
 * that cannot be told. */
void worker_unit_find(pid_t pid, const char *service, char unit[WORKER_UNIT_MAX]);

/* True while anybody has the other end of the channel, which is ours to close. False if the kernel
 * does not tell. */
bool worker_unit_is_alive(int channel);

/* Has the unit killed by a helper that may, without waiting for that. Returns 0 or a negative
 * errno. */
int worker_unit_kill(const char *unit);
