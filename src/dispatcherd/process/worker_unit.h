/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The unit of a worker, as far as an unprivileged daemon can see it and have it killed.
 *
 * A unit may outlive the process that said hello, and have further processes. systemd keeps the
 * worker's end of the channel open until the unit is gone, whatever its processes have closed. So
 * the channel shows whether the unit exists, even after we have shut it down. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum {
    WORKER_UNIT_MAX = 128
};

/* Writes the name of the unit of the service (in its form for unit names) to which a process
 * belongs; "" if it is unknown. */
void worker_unit_find(pid_t pid, const char *service, char unit[WORKER_UNIT_MAX]);

/* True while any process has the other end of the channel, of which we have this end. False if the
 * kernel gives no answer. */
bool worker_unit_is_alive(int channel);

/* Has the unit killed by a privileged helper, without waiting for it. Returns 0 or a negative
 * errno. */
int worker_unit_kill(const char *unit);
