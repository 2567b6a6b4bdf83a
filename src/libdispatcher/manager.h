/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Notifies the service manager, if there is one (sd_notify(3)), that this worker is ready, and that
 * it is alive. Never blocks; what a busy manager does not take is sent again. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct manager {
    bool owes_ready;
    uint64_t watchdog_usec; /* half of what the manager allows; 0: no watchdog */
    uint64_t next_at;       /* CLOCK_MONOTONIC; USEC_INFINITY: nothing to send */
};

/* Reads the environment. The worker is ready from now on. */
struct manager manager_start(void);

/* Sends what is due. Afterwards next_at is when to call it again. */
void manager_attend(struct manager *manager, uint64_t now);

/* Reports that the worker finishes its sessions, for people who read the unit's status. */
void manager_say_draining(void);
