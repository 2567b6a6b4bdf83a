/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The last steps for a worker: its channel is closed, its connections go to other workers or are
 * lost, its end is reported. life.c decides when. */
#pragma once

#include "dispatcherd/core/worker.h"

#include <signal.h>

/* The pool gives it no more connections. If it was never useful, that is a failed start, which is
 * reported when the process has ended. Only has an effect if it is ready. */
void worker_leave_pool(struct worker *worker);

/* Closes its channel and its ring. What it has written before is still handled; connections that it
 * has not acknowledged by then wait again. */
void worker_close_channel(struct worker *worker);

/* Its process has ended: reports that, and closes the connections that it still holds. `info` is
 * what waitid(2) returns for a child. */
void worker_conclude(struct worker *worker, const siginfo_t *info);
