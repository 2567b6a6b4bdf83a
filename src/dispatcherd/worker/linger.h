/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* From the end of a worker's process to the end of its unit, and how either is brought about. */
#pragma once

#include "dispatcherd/core/worker.h"

/* True for a worker that systemd started. */
bool worker_is_unit(const struct worker *worker);

/* Kills a child. Nothing happens to a unit's worker. */
void worker_kill_child(const struct worker *worker);

/* Kills a child, or has the unit killed. */
void worker_kill(const struct worker *worker);

/* Nothing of it is left: frees it, and makes its slot free. */
void worker_bury(struct worker *worker);

/* The process that said hello is gone; that its unit is gone as well comes a moment later, or not
 * at all if it was but a child of the unit's. Until then the place is not free: there are never
 * more units than MAX_PROCS. From now on worker->linger_look_usec says when to look next. */
void worker_linger_begin(struct worker *worker);

/* Looks whether its unit is gone. Has it killed if that takes too long. */
bool worker_linger_is_over(struct worker *worker);
