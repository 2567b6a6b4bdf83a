/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* How much of the host one worker may use at most: pure, from the options of its service. An honest
 * worker never comes near; one that leaks, or that a client has taken over, is stopped there. */
#pragma once

#include "config/options.h"

#include <stdint.h>

/* MemoryMax= of systemd.resource-control(5). */
uint64_t unit_limits_memory_bytes(const struct service_options *service);

/* TasksMax= of systemd.resource-control(5): threads and processes. */
unsigned unit_limits_tasks(const struct service_options *service);
