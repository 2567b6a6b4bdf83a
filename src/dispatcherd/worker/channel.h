/* The way back: what a worker says over its channel, read and passed to whom it concerns. */
#pragma once

#include "dispatcherd/core/worker.h"

/* Watches the channel of a new worker. Returns 0 or a negative errno. */
int worker_channel_watch(struct worker *worker);

/* Tells the service's workers its debug mask, after a change. */
void workers_set_debug(struct service *service);
