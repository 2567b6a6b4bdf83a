/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The end of the daemon.
 *
 * If the service manager will start us again (restart, or a signal from anybody but a stop job),
 * the workers are left serving: their channels are in its store, and a successor adopts them. Else
 * they are drained: sessions may go on for the stop limit, then they are cut. */
#pragma once

#include "dispatcherd/manager.h"

/* Makes what the end needs, at the start: a stop that cannot be limited would be found out too
 * late. Returns 0 or a negative errno. */
int stop_init(struct manager *manager);

void stop_end(struct manager *manager);

/* SIGTERM or SIGINT: begins to end; a second call cuts what is left at once. */
void stop_begin(struct manager *manager);

/* After a change: ends the loop as soon as nothing has to be waited for. */
void stop_check(struct manager *manager);
