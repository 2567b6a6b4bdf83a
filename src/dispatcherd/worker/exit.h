/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Reports that a worker's process has ended: how, and what that means for the service. */
#pragma once

#include "dispatcherd/core/archive.h"
#include "dispatcherd/core/worker.h"

#include <signal.h>

/* How it ended: "exited with status 1", "died of signal 9 (Killed)", or for a child of systemd what
 * that reports. The text is kept in `text`. */
struct worker_exit worker_exit_describe(const struct worker *worker, const siginfo_t *info,
                                        char *text, size_t size);

/* Reports the end, described by `how`: an ordinary one, a failed start, or a death. */
void worker_exit_report(struct worker *worker, const siginfo_t *info, const char *how);

/* Counts the worker as one that died, with the reason. */
void worker_exit_note(const struct worker *worker, const char *how);
