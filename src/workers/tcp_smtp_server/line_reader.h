/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Reads from the client into a buffer of fixed size, from which command lines are taken as a whole,
 * and message data in pieces.
 *
 * Only line_reader_fill() waits, so that the caller can flush its replies first (RFC 2920, 3.2). */
#pragma once

#include "workers/tcp_smtp_server/transport.h"

/* For one read of message data; far more than the longest command line. */
#define LINE_READER_BYTES 16384

struct line_reader {
    const struct transport *transport;
    size_t start, end;  /* the buffered bytes: 0 <= start <= end <= LINE_READER_BYTES */
    size_t n_discarded; /* discarded octets of a line that is too long; 0: there is none */
    char buffer[LINE_READER_BYTES];
};

enum line_status {
    LINE_COMPLETE,
    LINE_INCOMPLETE, /* call line_reader_fill(), and try again */
    LINE_TOO_LONG,   /* the whole line was discarded */
    LINE_MALFORMED, /* it has a single CR or LF, a NUL, or no end: the client does not mean the same
                       by a line as we do, so the session cannot go on */
};

void line_reader_init(struct line_reader *reader, const struct transport *transport);

/* Takes a line that ends in CRLF and has at most max_octets including CRLF (as RFC 5321, 4.5.3.1
 * counts); max_octets must be less than LINE_READER_BYTES. *ret_line is without CRLF, ends in NUL,
 * contains none, and is valid until the next call. */
enum line_status line_reader_take_line(struct line_reader *reader, size_t max_octets,
                                       char **ret_line, size_t *ret_length);

/* The buffered bytes, which may be written to; line_reader_take() takes `n` of them. */
char *line_reader_bytes(struct line_reader *reader, size_t *ret_n_bytes);
void line_reader_consume(struct line_reader *reader, size_t n);

/* Waits for more input. There must be room, so something must have been taken since the last call.
 * Returns what transport.receive() does. */
ssize_t line_reader_fill(struct line_reader *reader, struct deadline deadline);

/* Whether the client has sent more than was taken. */
bool line_reader_has_input(const struct line_reader *reader);
