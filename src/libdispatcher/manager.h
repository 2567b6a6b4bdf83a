/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What the service manager is told about this worker, if one listens (sd_notify(3)): that it is
 * ready, and that it lives. Never blocks; what a busy manager does not take is said again. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct manager {
    bool owes_ready;
    uint64_t watchdog_usec; /* half of what the manager allows; 0: no watchdog */
    uint64_t next_at;       /* CLOCK_MONOTONIC; USEC_INFINITY: nothing to say */
};

/* Reads the environment. From now on the worker is ready. */
struct manager manager_start(void);

/* Says what is due. Afterwards next_at is when to call again. */
void manager_attend(struct manager *manager, uint64_t now);

/* Says that the worker finishes its sessions; for people who read the unit's status. */
void manager_say_draining(void);
