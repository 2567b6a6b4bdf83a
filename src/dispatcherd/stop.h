/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The end of the daemon.
 *
 * If the service manager will start it again (a restart, or a signal that no stop job has sent),
 * the workers serve on: their channels are in its store, and a successor adopts them. Otherwise
 * they are drained: sessions may go on until the stop limit, then they are cut. */
#pragma once

#include "dispatcherd/manager.h"

/* Prepares the timers at the start: if they could not be made, a stop without limits must not be
 * the moment to find out. Returns 0 or a negative errno. */
int stop_init(struct manager *manager);

void stop_end(struct manager *manager);

/* SIGTERM or SIGINT: begins to stop; a second call cuts all sessions at once. */
void stop_begin(struct manager *manager);

/* After a change: ends the loop as soon as there is nothing left to wait for. */
void stop_check(struct manager *manager);
