/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The way back: what a worker says over its channel, read and passed to whom it concerns. */
#pragma once

#include "dispatcherd/core/worker.h"

/* Watches the channel of a new worker. Returns 0 or a negative errno. */
int worker_channel_watch(struct worker *worker);

/* Acts on what stands in the rings of all workers. Returns true if something was there. */
bool workers_read_rings(struct service *service);

/* What workers are to tell at once (RING_WANTS_*), since we go to sleep over it. Returns true if
 * something was written before they knew: then there is no reason to sleep. */
bool workers_want_news(struct service *service, uint32_t wanted);

/* Tells the service's workers its debug mask, after a change. */
void workers_set_debug(struct service *service);
