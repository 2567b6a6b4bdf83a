/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* How many tasks, which are threads and processes, this machine allows: read from /proc and /sys.
 */
#pragma once

#include "dispatcherd/limits/task_room.h"

/* `is_unit`: workers are units in dispatcherd.slice, and not children in our own control group. */
void task_limits_read(bool is_unit, struct task_limits *ret);

/* Logs a warning if the configuration does not fit into them. */
void task_limits_report(const struct config *config, bool is_unit);

/* TasksMax= of the units of a service's workers. Asks systemd, see systemd_bus.h; 0: not known, or
 * unlimited. */
uint64_t task_limits_of_worker(const char *unit_name);
