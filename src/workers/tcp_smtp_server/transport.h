/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* How a session's bytes come and go: a socket in life, memory in a test.
 *
 * Every wait has a deadline on the monotonic clock. */
#pragma once

#include "workers/common/deadline.h"
#include "workers/tls/facts.h"
#include "workers/tls/failure.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct transport {
    /* Reads what is there, at least one byte. Returns the number of bytes, 0 at the client's end
     * of file, -ETIMEDOUT, or another negative errno. Past the deadline nothing is read, so that a
     * flood has an end like a drip. */
    ssize_t (*receive)(void *userdata, void *buffer, size_t size, struct deadline deadline);

    /* Waits until receive() would not wait, or the descriptor `stop_fd` becomes readable. Returns
     * 0, -ECANCELED if it is readable, -ETIMEDOUT, or another negative errno. */
    int (*wait)(void *userdata, int stop_fd, struct deadline deadline);

    /* Writes all of it. Returns 0, -ETIMEDOUT or another negative errno. */
    int (*send)(void *userdata, const void *bytes, size_t n_bytes, uint64_t deadline_usec);

    /* True if receive() would not wait. */
    bool (*has_input)(void *userdata);

    /* The client reads end of file after what was sent. */
    void (*end_output)(void *userdata);

    /* The handshake of TLS is what the client sends next; after it all functions carry what it
     * protects. `client_asks` as of tls_session_start(). On success *ret lives as long as the
     * transport. After a failure nothing more can be sent or received. NULL: there is no TLS. */
    enum tls_failure (*start_tls)(void *userdata, bool client_asks, const struct tls_facts **ret);

    void *userdata;
};

struct transport_socket {
    int fd;        /* a stream socket, in blocking mode or not */
    int stress_fd; /* readable while the service is under stress; -1: it never is */
};

/* A transport over the socket. The caller keeps the descriptors, and the variable must live as long
 * as the transport. */
struct transport transport_over_socket(struct transport_socket *socket);
