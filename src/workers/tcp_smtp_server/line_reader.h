/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What the client sends, in a buffer of fixed size: command lines are taken from it whole, message
 * data as it comes.
 *
 * Taking never waits. line_reader_fill() is the only wait, so that a caller sees where replies must
 * be flushed first (RFC 2920, 3.2). */
#pragma once

#include "workers/tcp_smtp_server/transport.h"

/* One read of message data; and far more than the longest command line. */
#define LINE_READER_BYTES 16384

struct line_reader {
    const struct transport *transport;
    size_t start, end;  /* what is buffered: 0 <= start <= end <= LINE_READER_BYTES */
    size_t n_discarded; /* octets thrown away of a line that is too long; 0 outside of one */
    char buffer[LINE_READER_BYTES];
};

enum line_status {
    LINE_COMPLETE,
    LINE_INCOMPLETE, /* fill, and ask again */
    LINE_TOO_LONG,   /* the whole line was thrown away */
    LINE_MALFORMED,  /* a CR or LF that is not in a pair, a NUL, or a line without end: what the
                      * client means by a line is not what we do, so the session cannot go on */
};

void line_reader_init(struct line_reader *reader, const struct transport *transport);

/* Takes a line that ends in CRLF and has at most max_octets, CRLF included (the convention of RFC
 * 5321, 4.5.3.1), max_octets being less than LINE_READER_BYTES. *ret_line has no CRLF, ends in NUL
 * and holds none, and lives until the next call on the reader. */
enum line_status line_reader_take_line(struct line_reader *reader, size_t max_octets,
                                       char **ret_line, size_t *ret_length);

/* What is buffered, of which the caller then takes `n` bytes. It may write to it. */
char *line_reader_bytes(struct line_reader *reader, size_t *ret_n_bytes);
void line_reader_consume(struct line_reader *reader, size_t n);

/* Waits for more. There must be room: no call without a take before it. Returns what
 * transport.receive() returns. */
ssize_t line_reader_fill(struct line_reader *reader, struct deadline deadline);

/* True if the client has sent more than was taken. */
bool line_reader_has_input(const struct line_reader *reader);
