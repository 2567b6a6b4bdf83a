/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Watches a worker's channel: reads what the worker sends, and passes it to the modules that handle
 * it; and has the orders sent for which there was no room. messages/orders.c writes to it. */
#pragma once

#include "dispatcherd/core/worker.h"

/* Begins to watch the channel of a new worker. Returns 0 or a negative errno. */
int worker_channel_watch(struct worker *worker);
