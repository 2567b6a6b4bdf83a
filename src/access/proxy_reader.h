/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Reads the PROXY protocol's header from a connection that a proxy has opened, and nothing of what
 * the client sends after it: whoever serves the connection finds the client's first byte.
 *
 * Whether the peer may speak for others at all (PROXY_UPSTREAMS) is asked before this. */
#pragma once

#include "access/proxy_header.h"

#include <stdint.h>
#include <systemd/sd-event.h>

/* A proxy sends its header with the connection; one that has not within this time never will. */
#define PROXY_READER_LIMIT_USEC UINT64_C(3000000)

enum proxy_outcome {
    PROXY_READ,      /* the addresses are known */
    PROXY_INVALID,   /* there is no header, or a bad one: the connection is to be closed */
    PROXY_CLOSED,    /* the peer closed the connection first */
    PROXY_TIMED_OUT, /* the header was not there in time */
    PROXY_FAILED,    /* the connection failed */
};

struct proxy_result {
    enum proxy_outcome outcome;
    const char *fault; /* not for PROXY_READ: why, as a phrase for the log that lives forever */
    int error;         /* PROXY_FAILED: the negative errno; else 0 */

    /* For PROXY_READ. True: the two addresses are those that the header names. False: the proxy
     * speaks for itself, and they are those of the connection. */
    bool is_proxied;
    struct address peer, local;
};

struct proxy_reader;

/* Called once, from the event loop. It may free the reader, and close the descriptor after that. */
typedef void (*proxy_reader_callback)(struct proxy_reader *reader,
                                      const struct proxy_result *result, void *userdata);

/* Starts reading from the non-blocking stream socket `fd`, which stays the caller's, stays open
 * until the reader is freed, and is watched by nothing else of the same loop meanwhile. The
 * callback comes within limit_usec. Returns 0 with *ret, which the caller frees, or a negative
 * errno. */
int proxy_reader_start(sd_event *event, int fd, uint64_t limit_usec, proxy_reader_callback callback,
                       void *userdata, struct proxy_reader **ret);

/* Stops reading, if that goes on, and frees the reader; no callback comes any more. NULL does
 * nothing. */
void proxy_reader_free(struct proxy_reader *reader);
