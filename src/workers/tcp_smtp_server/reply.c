/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "workers/tcp_smtp_server/reply.h"

#include "base/time.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* RFC 5321, 4.5.3.1.5: with code and CRLF. */
#define REPLY_LINE_MAX_OCTETS 512

void reply_writer_init(struct reply_writer *writer, const struct transport *transport,
                       uint64_t timeout_usec, uint64_t ends_at)
{
    writer->transport = transport;
    writer->timeout_usec = timeout_usec;
    writer->ends_at = ends_at;
    writer->error = 0;
    writer->length = 0;
}

void reply_add(struct reply_writer *writer, const char *format, ...)
{
    va_list arguments;

    if (REPLY_BUFFER_BYTES - writer->length < REPLY_LINE_MAX_OCTETS)
        (void)reply_flush(writer);
    char *line = writer->buffer + writer->length;
    va_start(arguments, format);
    int n = vsnprintf(line, REPLY_LINE_MAX_OCTETS - 1, format, arguments);
    va_end(arguments);
    if (n < 0)
        return;
    size_t length = (size_t)n < REPLY_LINE_MAX_OCTETS - 2 ? (size_t)n : REPLY_LINE_MAX_OCTETS - 2;
    memcpy(line + length, "\r\n", 2);
    writer->length += length + 2;
}

int reply_flush(struct reply_writer *writer)
{
    size_t length = writer->length;

    writer->length = 0;
    if (writer->error < 0 || length == 0)
        return writer->error;
    uint64_t deadline = time_add_usec(time_now_usec(CLOCK_MONOTONIC), writer->timeout_usec);
    int r = writer->transport->send(writer->transport->userdata, writer->buffer, length,
                                    deadline < writer->ends_at ? deadline : writer->ends_at);
    if (r < 0)
        writer->error = r;
    return r;
}
