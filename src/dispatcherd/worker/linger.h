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

/* Its end was told, and it holds nothing any more; its unit is still there. Buries it when that is
 * gone, which is brought about if it takes too long. */
void worker_linger(struct worker *worker);
