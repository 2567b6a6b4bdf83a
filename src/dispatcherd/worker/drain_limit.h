/* A worker that drains is to come to its end in time, whether it wants to or not. */
#pragma once

#include "dispatcherd/core/worker.h"

/* It drains, and its sessions have so many seconds from now. A later limit counts if it is earlier.
 */
void worker_limit_drain(struct worker *worker, unsigned limit_sec);
