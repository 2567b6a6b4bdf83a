/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Why the process of a unit's worker has ended. It is systemd's child, not ours: what its unit
 * knows reaches us by ExecStopPost= and the control socket, soon after the process is gone. */
#pragma once

#include "dispatcherd/core/worker.h"

/* What systemd says of a process: SERVICE_RESULT, EXIT_CODE and EXIT_STATUS as systemd.exec(5)
 * describes them. */
struct worker_cause {
    const char *result;
    const char *code;
    const char *status;
    const char *lines; /* what the unit has logged last; NULL: nothing */
};

/* True if it makes sense to wait for the cause before the end is told. */
bool worker_cause_is_coming(const struct worker *worker);

void worker_cause_set(struct worker *worker, const struct worker_cause *cause);
