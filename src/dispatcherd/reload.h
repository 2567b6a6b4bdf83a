/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Brings a changed dispatcher.cnf into force while the daemon runs (dispatcherd(8)). */
#pragma once

#include "dispatcherd/manager.h"
#include "files/problem.h"

/* Reads the files again. If they have errors, nothing changes, and -EINVAL is returned with the
 * errors in `problems`. Otherwise limits apply at once, workers that were started with other values
 * are replaced one after another, removed services are drained, and new ones are started, by hand
 * on sockets of their own. If systemd has to make a socket or a worker's unit first, `problems` has
 * a warning that names the command. Returns 0 or a negative errno. */
int reload(struct manager *manager, struct problem_list *problems);
