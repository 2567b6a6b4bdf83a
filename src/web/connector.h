/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Connects to the control socket for a process that may not call connect().
 *
 * If an attacker took over the process that reads requests from the network, he could dissolve one
 * of its connections (connect(2), AF_UNSPEC) and connect it to somewhere else: it belongs to the
 * host's network, from which the unit's sandbox does not separate it. So that process gives up
 * connect(), and leaves it to a small one that reads nothing from the network. */
#pragma once

#include <stdint.h>

struct connector {
    int fd; /* owned; -1: none */
};

#define CONNECTOR_INIT                                                                             \
    {                                                                                              \
        .fd = -1                                                                                   \
    }

/* Starts the process. It connects to `path` only, and ends when the caller's process does. If it
 * ends first, the connector's descriptor hangs up. Returns 0 or a negative errno. */
int connector_start(struct connector *connector, const char *path);

/* Waits for a connection, up to the limit. Returns its descriptor, which is the caller's, or a
 * negative errno. */
int connector_open(struct connector *connector, uint64_t limit_usec);

void connector_end(struct connector *connector);
