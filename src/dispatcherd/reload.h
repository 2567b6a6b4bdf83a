/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* A changed dispatcher.cnf comes into force while the daemon runs (dispatcherd(8)). */
#pragma once

#include "dispatcherd/manager.h"
#include "files/problem.h"

/* Reads the file again. One with errors is refused as a whole: what is in force stays, and
 * -EINVAL is returned with the errors in `problems`. A good one applies: limits at once, workers
 * that were started with something else are replaced one after another, services that went are
 * drained, and those that came are started, by hand on their own sockets. If systemd must be
 * told to make a socket or a worker's unit first, `problems` has a warning that names the command.
 * Returns 0 or a negative errno. */
int reload(struct manager *manager, struct problem_list *problems);
