/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The control socket: where dispatcherctl, and whoever speaks Varlink, asks and gives orders.
 *
 * Nothing of it ever blocks the daemon or costs it more than a bounded amount: of clients, of
 * memory, of time. Clients of services go first, and all who have no rights share one small part of
 * the time. Nothing else of the daemon knows it. */
#pragma once

#include "dispatcherd/control/client.h"
#include "dispatcherd/control/peer.h"

#include <systemd/sd-event.h>

struct control; /* opaque */

struct control_settings {
    sd_event *event;
    const char *path;                            /* of the socket */
    const struct control_operations *operations; /* outlive the control */
    void *userdata;                              /* of the operations */

    /* For tests. Who a client is; NULL: what the kernel says. How long it may take; NULL: as long
     * as is usual. */
    int (*read_peer)(int fd, struct control_peer *ret);
    bool (*is_page)(int fd);
    const struct control_limits *limits;
};

/* Makes the socket and listens at it; one that is left over, at which nobody listens, is removed.
 * Returns 0, or a negative errno: -EADDRINUSE if somebody answers there already, -EEXIST if
 * the path is no socket. */
int control_new(const struct control_settings *settings, struct control **ret);

/* Removes the socket, and drops all clients. NULL is fine. */
void control_free(struct control *control);
