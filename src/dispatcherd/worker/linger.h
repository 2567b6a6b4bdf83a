/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The time between the end of a worker's process and the end of its unit, and how to end either. */
#pragma once

#include "dispatcherd/core/worker.h"

/* True for a worker that systemd started. */
bool worker_is_unit(const struct worker *worker);

/* Kills a child; does nothing to the worker of a unit. */
void worker_kill_child(const struct worker *worker);

/* Kills a child, or has the unit killed. */
void worker_kill(const struct worker *worker);

/* Nothing of it is left: frees the worker and its slot. */
void worker_bury(struct worker *worker);

/* The process that said hello has ended. Its unit ends a moment later; or not at all, if that
 * process was only a child of the unit's main process. Until then the slot is not free, so that
 * there are never more units than MAX_PROCS. worker->linger_look_usec says when to look next. */
void worker_linger_begin(struct worker *worker);

/* Whether its unit has ended. Has it killed if that takes too long. */
bool worker_linger_is_over(struct worker *worker);
