/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Replies to the client. They are buffered, so that a group of pipelined commands is answered with
 * one packet; reply_flush() must be called before waiting for the client. */
#pragma once

#include "base/macro.h"
#include "workers/tcp_smtp_server/transport.h"

#define REPLY_BUFFER_BYTES 4096

struct reply_writer {
    const struct transport *transport;
    uint64_t timeout_usec; /* for a client that does not read */
    uint64_t ends_at;      /* CLOCK_MONOTONIC, in microseconds: not beyond that, however it reads */
    int error;             /* the first failure, a negative errno; after it nothing more is sent */
    size_t length;
    char buffer[REPLY_BUFFER_BYTES];
};

void reply_writer_init(struct reply_writer *writer, const struct transport *transport,
                       uint64_t timeout_usec, uint64_t ends_at);

/* Adds one line, without CRLF; it is cut to the 512 octets of RFC 5321, 4.5.3.1.5. */
void reply_add(struct reply_writer *writer, const char *format, ...) _printf_(2, 3);

/* Sends what was added. Returns 0 or the failure, which is also in `error`. */
int reply_flush(struct reply_writer *writer);
