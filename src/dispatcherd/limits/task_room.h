/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Whether the machine allows as many threads as a configuration may want to have: one for each
 * connection that workers can serve, MAX_PROCS times MAX_CONNS. Pure.
 *
 * A pool that grows into a limit fails when it is needed most; and if the limit is the kernel's, no
 * process on the whole machine can be started any more. */
#pragma once

#include "config/options.h"
#include "files/problem.h"

#include <stdbool.h>
#include <stdint.h>

/* What this machine allows; 0: not known, or unlimited. */
struct task_limits {
    uint64_t pid_max;     /* sysctl kernel.pid_max */
    uint64_t threads_max; /* sysctl kernel.threads-max */
    uint64_t group_max;   /* TasksMax= of the control group of the workers, or one around it */
    char group[64];       /* the unit that sets that */
};

enum {
    TASK_ROOM_TEXT_MAX = 640
};

/* Threads of one worker of the service, and of all that may run at once in all services. */
uint64_t task_room_of_worker(const struct service_options *service);
uint64_t task_room_needed(const struct config *config);

/* The service that may have the most; NULL: there is none. */
const struct service_options *task_room_largest(const struct config *config);

/* Whether all that may run fits. If not, `text` has the figures, and what to change. */
bool task_room_fits(const struct config *config, const struct task_limits *limits,
                    char text[TASK_ROOM_TEXT_MAX]);

/* Adds that as a warning, at the line of the largest MAX_PROCS. */
void task_room_check(const struct config *config, const struct task_limits *limits,
                     struct problem_list *problems);

/* Adds a warning if one worker does not fit into the limit of its unit; 0: there is none. */
void task_room_check_worker(const struct service_options *service, uint64_t tasks_max,
                            struct problem_list *problems);
