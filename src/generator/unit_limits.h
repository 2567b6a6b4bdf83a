/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Limits for the resources of one worker, from the options of its service. Pure. A worker that
 * works properly never comes near them; one that leaks memory, or that a client has taken over, is
 * stopped. */
#pragma once

#include "config/options.h"

#include <stdint.h>

/* MemoryMax= of systemd.resource-control(5). */
uint64_t unit_limits_memory_bytes(const struct service_options *service);

/* TasksMax= of systemd.resource-control(5): threads and processes. */
unsigned unit_limits_tasks(const struct service_options *service);
