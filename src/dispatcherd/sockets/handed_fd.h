/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Closes the daemon's copy of a connection that was handed to a worker. The worker shares the
 * socket, and may have set options that make a close wait. */
#pragma once

#include <stdint.h>

/* For all connections of a service; written by this module alone. Times are CLOCK_MONOTONIC. */
struct close_caution {
    uint64_t suspect_until; /* sockets are looked at before they are closed */
    uint64_t closer_until;  /* another process closes them */
};

/* Closes the copy of a connection; `service` is its service's name, `now` CLOCK_MONOTONIC in
 * microseconds.
 *
 * Normally the socket is not looked at: a close that waits is interrupted after 5 ms. After that
 * the service's sockets are looked at for a while, and as soon as one is found that would wait,
 * another process closes all of them for ten minutes. */
void handed_fd_close(struct close_caution *caution, const char *service, int fd, uint64_t now);
