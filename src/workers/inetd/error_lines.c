/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "workers/inetd/error_lines.h"

#include "base/str.h"
#include "base/time.h"
#include "workers/common/line_limit.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

/* Lines of one session: so many at once, then one in so many microseconds. journald takes 10,000
 * lines of a unit in 30 s (journald.conf(5)). */
#define LINES_AT_ONCE      50
#define LINE_INTERVAL_USEC (200 * USEC_PER_MSEC)

/* And all sessions together: a client can make any number of short ones. */
static struct line_limit all_sessions = LINE_LIMIT_INIT("standard error", LOG_NOTICE, 1000, 50);

/* Of the default pipe (pipe(7)). */
#define PIPE_BYTES 65536

/* The line itself is left as it is. */
void error_lines_start(struct error_lines *lines, dispatcher_connection *connection)
{
    lines->connection = connection;
    lines->rate = (struct rate){.burst = LINES_AT_ONCE, .interval_usec = LINE_INTERVAL_USEC};
    lines->n_left_out = 0;
    lines->length = 0;
}

static void end_line(struct error_lines *lines, uint64_t now)
{
    if (lines->length > 0 && lines->line[lines->length - 1] == '\r')
        lines->length--;
    lines->line[lines->length] = '\0';
    if (lines->length == 0)
        return;
    lines->length = 0;
    if (!rate_take(&lines->rate, now))
        lines->n_left_out++;
    else if (line_limit_take(&all_sessions, lines->connection, NULL))
        dispatcher_connection_log(lines->connection, LOG_NOTICE, "%s", lines->line);
}

static void take(struct error_lines *lines, const char *text, size_t n, uint64_t now)
{
    while (n > 0) {
        const char *end = memchr(text, '\n', n);
        size_t length = end ? (size_t)(end - text) : n;
        size_t room = ERROR_LINE_MAX - lines->length;
        bool is_full = length > room;

        if (is_full)
            length = room;
        memcpy(lines->line + lines->length, text, length);
        lines->length += length;
        if (is_full || end)
            end_line(lines, now);
        length += !is_full && end;
        text += length;
        n -= length;
    }
}

bool error_lines_read(struct error_lines *lines, int fd)
{
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);
    char text[4096];
    size_t n = 0;
    ssize_t r = 0;

    while (n < PIPE_BYTES && (r = read(fd, text, sizeof(text))) > 0) {
        take(lines, text, (size_t)r, now);
        n += (size_t)r;
    }
    return n >= PIPE_BYTES || (r < 0 && (errno == EAGAIN || errno == EINTR));
}

void error_lines_end(struct error_lines *lines)
{
    end_line(lines, time_now_usec(CLOCK_MONOTONIC));
    if (lines->n_left_out > 0)
        dispatcher_connection_log(
            lines->connection, LOG_NOTICE, "%" PRIu64 " more %s of standard error left out",
            lines->n_left_out, str_plural(lines->n_left_out, "line", "lines"));
}
