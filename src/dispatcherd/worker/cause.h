/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Why the process of a worker's unit has ended. It is a child of systemd, so its unit reports that
 * by ExecStopPost= and the control socket, soon after the process has ended. */
#pragma once

#include "dispatcherd/core/worker.h"

/* How a process ended: SERVICE_RESULT, EXIT_CODE and EXIT_STATUS of systemd.exec(5). */
struct worker_cause {
    const char *result;
    const char *code;
    const char *status;
    const char *lines; /* last log lines of the unit; NULL: none */
};

/* True if a report of the cause can be expected; the end is logged after that. */
bool worker_cause_is_coming(const struct worker *worker);

void worker_cause_set(struct worker *worker, const struct worker_cause *cause);
