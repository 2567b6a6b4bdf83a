/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The control socket, by which dispatcherctl and other Varlink clients query and command the
 * daemon.
 *
 * It never blocks the daemon, and takes a bounded amount of clients, memory and time. Clients of
 * services go first, and all callers without rights share one small part of the time. No other
 * module of the daemon knows about it. */
#pragma once

#include "dispatcherd/control/client.h"
#include "dispatcherd/control/peer.h"

#include <systemd/sd-event.h>

struct control; /* opaque */

struct control_settings {
    sd_event *event;
    const char *path;                            /* of the socket */
    const struct control_operations *operations; /* outlive this */
    void *userdata;                              /* for the operations */

    /* For tests: a function in place of the kernel that says who a client is, and other time
     * limits. NULL: the usual ones. */
    int (*read_peer)(int fd, struct control_peer *ret);
    bool (*is_page)(int fd);
    const struct control_limits *limits;
};

/* Makes the socket and listens on it; one that is left over, on which nobody listens, is replaced.
 * Returns 0 or a negative errno: -EADDRINUSE if a process answers on it, -EEXIST if the path is no
 * socket. */
int control_new(const struct control_settings *settings, struct control **ret);

/* Removes the socket, and closes all clients. NULL does nothing. */
void control_free(struct control *control);
