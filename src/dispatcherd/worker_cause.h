/* Why the process of a unit's worker has ended. It is systemd's child, not ours: what its unit
 * knows reaches us by ExecStopPost= and the control socket, soon after the process is gone. */
#pragma once

#include "dispatcherd/worker.h"

/* True where it makes sense to wait for the cause before the end is told. */
bool worker_cause_is_coming(const struct worker *worker);

/* Takes what systemd says of a process: SERVICE_RESULT, EXIT_CODE and EXIT_STATUS as
 * systemd.exec(5) describes them. */
void worker_cause_set(struct worker *worker, const char *result, const char *code,
                      const char *status);
