/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Reads what a worker sends over its channel, and passes it to the modules that handle it. */
#pragma once

#include "dispatcherd/core/worker.h"

/* Begins to watch the channel of a new worker. Returns 0 or a negative errno. */
int worker_channel_watch(struct worker *worker);

/* Sends the workers the service's debug mask, after a change. */
void workers_set_debug(struct service *service);
