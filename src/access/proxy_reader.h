/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Reads the PROXY protocol's header from a connection that a proxy has opened, and nothing that
 * follows it: the client's first byte is left to the session. Whether the peer may send a header at
 * all (PROXY_UPSTREAMS) is for the caller to check first. */
#pragma once

#include "access/proxy_header.h"

#include <stdint.h>
#include <systemd/sd-event.h>

/* A proxy sends its header right after it has connected. */
#define PROXY_READER_LIMIT_USEC UINT64_C(3000000)

enum proxy_outcome {
    PROXY_READ,      /* the addresses are known */
    PROXY_INVALID,   /* there is no header, or an invalid one: the connection is to be closed */
    PROXY_CLOSED,    /* the peer closed the connection first */
    PROXY_TIMED_OUT, /* the header was not complete in time */
    PROXY_FAILED,    /* the connection failed */
};

struct proxy_result {
    enum proxy_outcome outcome;
    /* NULL for PROXY_READ; else why, a phrase about the header in static memory. */
    const char *fault;
    int error; /* PROXY_FAILED: the negative errno; else 0 */

    /* For PROXY_READ. If true, the two addresses are those in the header. If false, it has none
     * (LOCAL, UNKNOWN), and they are those of the connection. */
    bool is_proxied;
    struct address peer, local;
};

struct proxy_reader;

/* Called once, from the event loop. It may free the reader, and close the descriptor after that. */
typedef void (*proxy_reader_callback)(struct proxy_reader *reader,
                                      const struct proxy_result *result, void *userdata);

/* Starts to read from the non-blocking stream socket `fd`. It stays the caller's, who keeps it open
 * until the reader is freed, and lets no other source of the same loop watch it meanwhile. The
 * callback comes within limit_usec. Returns 0 with *ret, which the caller frees, or a negative
 * errno. */
int proxy_reader_start(sd_event *event, int fd, uint64_t limit_usec, proxy_reader_callback callback,
                       void *userdata, struct proxy_reader **ret);

/* Frees the reader. If it was still reading, it stops, and no callback comes. NULL does nothing. */
void proxy_reader_free(struct proxy_reader *reader);
