/* Passes a connection on to the worker that was chosen. What comes back has its own path:
 * worker_channel.c. */
#pragma once

#include "dispatcherd/worker.h"

/* Sends the connection that waits longest; `now` is CLOCK_MONOTONIC in microseconds. Where the
 * worker's channel is full the connection goes on waiting, and the worker gets nothing more until
 * it has read. */
void handoff_send(struct service *service, struct worker *worker, uint64_t now);
