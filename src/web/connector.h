/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Connects to the control socket for a process that may not connect.
 *
 * Who takes over the process that reads what strangers send could free one of their connections
 * (connect(2), AF_UNSPEC) and connect it to elsewhere: it belongs to the network of the host, from
 * which the sandbox of the unit does not cut it off. So that process gives up connect(), and a
 * small one, which never sees a stranger's byte, has it. */
#pragma once

#include <stdint.h>

struct connector {
    int fd; /* owned; -1: none */
};

#define CONNECTOR_INIT                                                                             \
    {                                                                                              \
        .fd = -1                                                                                   \
    }

/* Starts the process. It connects to `path` alone, and ends when we do; then its end of the
 * connector's descriptor hangs up. Returns 0 or a negative errno. */
int connector_start(struct connector *connector, const char *path);

/* Waits for a connection, up to the limit. Returns its descriptor, which is the caller's, or a
 * negative errno. */
int connector_open(struct connector *connector, uint64_t limit_usec);

void connector_end(struct connector *connector);
