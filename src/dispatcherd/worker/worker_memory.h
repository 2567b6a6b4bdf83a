/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The memory of a service's workers, for its recording (dispatcher.cnf(5), RECORD). */
#pragma once

#include "dispatcherd/core/worker.h"

#include <sys/types.h>

/* Of many workers not more than so many are looked at at once. */
#define WORKER_MEMORY_LOOKS 64

/* Finds out how much memory the process has for itself alone: without what its pages share with a
 * file, such as program and libraries, and without what is in the swap. Returns 0 with *ret_kib, or
 * a negative errno: -ESRCH if there is no such process, or it has ended. */
int worker_memory_read(pid_t pid, uint64_t *ret_kib);

/* Records the memory of the service's workers if it is time for that. To be called after each
 * change. Returns when to look again; USEC_INFINITY: only after a change. */
uint64_t worker_memory_look(struct service *service, uint64_t now);
