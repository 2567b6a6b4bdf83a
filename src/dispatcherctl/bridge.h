/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* "bridge": joins standard input and output to the control socket. ssh runs it on another host for
 * --host. */
#pragma once

#include "dispatcherctl/query/request.h"

/* Returns when the daemon, or both ends of the caller, have closed: an exit status. */
int bridge_run(const struct request *request);
