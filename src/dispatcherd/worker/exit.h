/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What is told of a worker whose process has ended: how, and what that means for the service. */
#pragma once

#include "dispatcherd/core/archive.h"
#include "dispatcherd/core/worker.h"

#include <signal.h>

/* "exited with status 1", "died of signal 9 (Killed)", or what systemd says of a unit's worker,
 * which is systemd's child. The text is kept in `text`. */
struct worker_exit worker_exit_describe(const struct worker *worker, const siginfo_t *info,
                                        char *text, size_t size);

/* Reports the end, `how` in words: an ordinary one, a start that failed, or a death. */
void worker_exit_report(struct worker *worker, const siginfo_t *info, const char *how);

/* Counts it as a worker that died, with the reason. */
void worker_exit_note(const struct worker *worker, const char *how);
