/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* One attempt to connect to a back end. */
#pragma once

#include "workers/proxy/backends.h"

/* Returns a socket that is connected, or will be (*ret_is_connected), non-blocking, CLOEXEC and the
 * caller's; or a negative errno. -EAGAIN: the back end's backlog is full, which is no failure. */
int connect_begin(const struct backend *backend, bool *ret_is_connected);

/* Once it is writable, or broken. Returns 0 or a negative errno. */
int connect_result(int fd);

/* What is written goes out at once: a reply in two parts must not wait for the acknowledgement of
 * the first. A sandbox may forbid that, and a Unix socket knows nothing of it: it works without. */
void connect_set_nodelay(int fd);

/* Resets the connection, so that the other side does not take its end for the end of all it was to
 * get. What is no internet socket cannot be reset. The descriptor stays open. */
void connect_reset(int fd);

/* What in the sandbox of the unit is likely to be the cause; NULL: nothing is. */
const char *connect_advice(const struct backend *backend, int error);
