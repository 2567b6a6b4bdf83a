/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What an administrator may ask of a service that runs: dispatcherctl(1), stop, start, restart. */
#pragma once

#include "dispatcherd/core/service.h"

/* No more connections; its workers finish theirs and exit. Clients wait in the sockets that the
 * service manager holds; those that are ours are closed. */
void operation_stop(struct service *service);

/* Undoes operation_stop(). Returns 0, or a negative errno if its ports cannot be bound
 * again. */
int operation_start(struct service *service);

/* Replaces every worker, one after another within MAX_SHUTDOWN, with no connection lost. Returns
 * how many there are to replace. */
unsigned operation_restart(struct service *service);

/* The same if nobody asked for it; the caller says why. */
unsigned operation_replace_workers(struct service *service);

/* Sets its debug mask, and that of its workers, until the next reload. */
void operation_set_debug(struct service *service, uint32_t mask);
