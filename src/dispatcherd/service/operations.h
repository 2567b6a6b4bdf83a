/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Operations on a running service: dispatcherctl(1), stop, start, restart. */
#pragma once

#include "dispatcherd/core/service.h"

/* Stops accepting connections; the workers finish their sessions and exit. Clients wait in sockets
 * that the service manager holds; our own are closed. */
void operation_stop(struct service *service);

/* Undoes operation_stop(). Returns 0, or a negative errno if its ports cannot be bound
 * again. */
int operation_start(struct service *service);

/* Replaces all workers, one after another within MAX_SHUTDOWN, without losing a connection. Returns
 * how many will be replaced. */
unsigned operation_restart(struct service *service);

/* The same, not by command; the caller reports why. */
unsigned operation_replace_workers(struct service *service);

/* Sets the debug mask of the service and its workers until the next reload. */
void operation_set_debug(struct service *service, uint32_t mask);
