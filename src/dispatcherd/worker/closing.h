/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The last things that are done for a worker: its channel is closed, its connections go to others
 * or are lost, its end is reported. When that is due is decided in life.c. */
#pragma once

#include "dispatcherd/core/worker.h"

#include <signal.h>

/* The pool gives it no more connections. It goes of its own accord, or for what it did: that is a
 * failed start if it has not been useful, which is reported with its exit. Only from ready; in
 * other states nothing changes. */
void worker_leave_pool(struct worker *worker);

/* Closes its channel, and its ring. What it said before still counts; connections that it has not
 * acknowledged by then wait again. */
void worker_close_channel(struct worker *worker);

/* Its process is gone: reports that, and closes the connections that it still holds. `info` is what
 * waitid(2) says of a child. */
void worker_conclude(struct worker *worker, const siginfo_t *info);
