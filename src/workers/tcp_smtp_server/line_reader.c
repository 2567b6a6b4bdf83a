/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "workers/tcp_smtp_server/line_reader.h"

#include <errno.h>
#include <string.h>

/* A client that sends this much without a line end does not speak SMTP. */
#define DISCARD_MAX_OCTETS 65536

void line_reader_init(struct line_reader *reader, const struct transport *transport)
{
    reader->transport = transport;
    reader->start = reader->end = 0;
    reader->n_discarded = 0;
}

/* There is no line end in the buffer: keeps what may become a line, and discards the rest. */
static enum line_status take_nothing(struct line_reader *reader, size_t max_octets)
{
    size_t n = reader->end - reader->start;

    if (reader->n_discarded > 0 || n >= max_octets) {
        reader->n_discarded += n;
        reader->start = reader->end = 0;
        if (reader->n_discarded > DISCARD_MAX_OCTETS)
            return LINE_MALFORMED;
    }
    return LINE_INCOMPLETE;
}

enum line_status line_reader_take_line(struct line_reader *reader, size_t max_octets,
                                       char **ret_line, size_t *ret_length)
{
    char *line = reader->buffer + reader->start;
    char *line_feed = memchr(line, '\n', reader->end - reader->start);

    if (!line_feed)
        return take_nothing(reader, max_octets);
    size_t length = (size_t)(line_feed - line);
    bool was_too_long = reader->n_discarded > 0;
    reader->start += length + 1;
    reader->n_discarded = 0;
    if (was_too_long)
        return LINE_TOO_LONG;
    if (length == 0 || line[length - 1] != '\r')
        return LINE_MALFORMED;
    line[--length] = '\0';
    if (memchr(line, '\r', length) || memchr(line, '\0', length))
        return LINE_MALFORMED;
    if (length + 2 > max_octets)
        return LINE_TOO_LONG;
    *ret_line = line;
    *ret_length = length;
    return LINE_COMPLETE;
}

char *line_reader_bytes(struct line_reader *reader, size_t *ret_n_bytes)
{
    *ret_n_bytes = reader->end - reader->start;
    return reader->buffer + reader->start;
}

void line_reader_consume(struct line_reader *reader, size_t n)
{
    reader->start += n;
}

ssize_t line_reader_fill(struct line_reader *reader, struct deadline deadline)
{
    if (reader->start > 0) {
        memmove(reader->buffer, reader->buffer + reader->start, reader->end - reader->start);
        reader->end -= reader->start;
        reader->start = 0;
    }
    if (reader->end == LINE_READER_BYTES)
        return -ENOBUFS;
    ssize_t n =
        reader->transport->receive(reader->transport->userdata, reader->buffer + reader->end,
                                   LINE_READER_BYTES - reader->end, deadline);
    if (n > 0)
        reader->end += (size_t)n;
    return n;
}

bool line_reader_has_input(const struct line_reader *reader)
{
    return reader->end > reader->start || reader->transport->has_input(reader->transport->userdata);
}
