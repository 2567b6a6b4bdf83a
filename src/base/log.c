/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "base/log.h"

#include "base/fd.h"
#include "base/str.h"
#include "base/utf8.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/sockios.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define MESSAGE_PREFIX "MESSAGE="

enum {
    TEXT_MAX = 2048, /* bytes of one line's text */
    FIELDS_MAX = 64, /* fields that a caller may add */
    IOVEC_MAX = 16 + 5 * FIELDS_MAX,
};

/* How to write to standard error without waiting for its reader. */
enum stderr_kind {
    STDERR_FILE,   /* a file never blocks */
    STDERR_SOCKET, /* send() with MSG_DONTWAIT */
    STDERR_OPENED, /* a pipe or terminal, opened a second time with O_NONBLOCK, for this process
                      alone */
    STDERR_POLLED, /* likewise, but it cannot be opened: poll() before each write */
};

/* Set before there are threads, except for the counter. */
static struct {
    const char *identifier;
    int journal_fd; /* -1: standard error */
    enum stderr_kind stderr_kind;
    int stderr_fd; /* STDERR_FILENO; for STDERR_OPENED one of our own, which is owned */
    int max_priority;
    atomic_bool has_file; /* standard error is a log file, and all lines go there */
    _Atomic uint64_t n_lost;
} sink = {
    .identifier = "dispatcherd",
    .journal_fd = -1,
    .stderr_kind = STDERR_POLLED,
    .stderr_fd = STDERR_FILENO,
    .max_priority = LOG_DEBUG,
};

/* JOURNAL_STREAM is "device:inode" of the stream that systemd connected (systemd.exec(5)). A
 * program that was started with another standard error inherits the variable, too. */
static bool stderr_is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    uintmax_t device, inode;
    struct stat st;

    return stream && sscanf(stream, "%ju:%ju", &device, &inode) == 2 &&
           fstat(STDERR_FILENO, &st) == 0 && st.st_dev == (dev_t)device &&
           st.st_ino == (ino_t)inode;
}

/* Each datagram is sent to this address: a worker's sandbox forbids connect(), and journald makes a
 * new socket there when it is restarted. */
static const struct sockaddr_un journal_address = {.sun_family = AF_UNIX,
                                                   .sun_path = "/run/systemd/journal/socket"};

/* O_NONBLOCK belongs to the open file, which is shared with others: with the shell at the terminal,
 * or with the other programs at the pipe. So it is set on an open file of our own. */
static void open_stderr(void)
{
    struct stat st;

    if (sink.stderr_kind == STDERR_OPENED)
        fd_close(sink.stderr_fd);
    sink.stderr_fd = STDERR_FILENO;
    sink.stderr_kind = STDERR_FILE;
    if (fstat(STDERR_FILENO, &st) < 0 || S_ISREG(st.st_mode))
        return;
    if (S_ISSOCK(st.st_mode)) {
        sink.stderr_kind = STDERR_SOCKET;
    } else {
        int fd = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

        sink.stderr_kind = fd < 0 ? STDERR_POLLED : STDERR_OPENED;
        if (fd >= 0)
            sink.stderr_fd = fd;
    }
}

void log_open(const char *identifier)
{
    sink.identifier = identifier;
    sink.journal_fd = fd_close(sink.journal_fd);
    open_stderr();
    if (stderr_is_journal() && access(journal_address.sun_path, W_OK) == 0)
        sink.journal_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

void log_use_file(void)
{
    atomic_store(&sink.has_file, true);
}

bool log_is_journal(void)
{
    return sink.journal_fd >= 0 && !atomic_load(&sink.has_file);
}

bool log_has_room_for_bulk(void)
{
    int n_queued, size;
    socklen_t length = sizeof(size);

    if (atomic_load(&sink.has_file))
        return true;
    if (sink.journal_fd >= 0)
        return ioctl(sink.journal_fd, SIOCOUTQ, &n_queued) < 0 ||
               getsockopt(sink.journal_fd, SOL_SOCKET, SO_SNDBUF, &size, &length) < 0 ||
               n_queued < size / 2;
    size = fcntl(sink.stderr_fd, F_GETPIPE_SZ); /* fails unless it is a pipe */
    return size < 0 || ioctl(sink.stderr_fd, FIONREAD, &n_queued) < 0 || n_queued < size / 2;
}

void log_set_max_priority(int priority)
{
    sink.max_priority = priority;
}

/* The native protocol of systemd.journal-fields: "NAME=value\n", or for a value that holds a
 * newline "NAME\n", its length as 64 bits little-endian, the value, "\n". */
struct datagram {
    struct iovec parts[IOVEC_MAX];
    size_t n_parts;
    uint64_t lengths[FIELDS_MAX + 1];
    size_t n_lengths;
};

static void add_bytes(struct datagram *d, const void *bytes, size_t length)
{
    if (d->n_parts < IOVEC_MAX)
        d->parts[d->n_parts++] = (struct iovec){.iov_base = (void *)bytes, .iov_len = length};
}

static void add_field(struct datagram *d, const char *field)
{
    const char *equals = strchr(field, '=');

    if (!equals)
        return;
    if (!strchr(field, '\n')) {
        add_bytes(d, field, strlen(field));
    } else {
        uint64_t *length = &d->lengths[d->n_lengths++];

        *length = htole64(strlen(equals + 1));
        add_bytes(d, field, (size_t)(equals - field));
        add_bytes(d, "\n", 1);
        add_bytes(d, length, sizeof(*length));
        add_bytes(d, equals + 1, strlen(equals + 1));
    }
    add_bytes(d, "\n", 1);
}

static int journal_send(int priority, const char *const fields[], size_t n_fields,
                        const char *message)
{
    char head[128];
    struct datagram d; /* not initialized: most lines use little of it */

    d.n_parts = d.n_lengths = 0;
    snprintf(head, sizeof(head), "PRIORITY=%d\nSYSLOG_IDENTIFIER=%.64s\n", priority,
             sink.identifier);
    add_bytes(&d, head, strlen(head));
    add_field(&d, message);
    for (size_t i = 0; i < n_fields && i < FIELDS_MAX; i++)
        add_field(&d, fields[i]);
    const struct msghdr datagram = {.msg_name = (void *)&journal_address,
                                    .msg_namelen = sizeof(journal_address),
                                    .msg_iov = d.parts,
                                    .msg_iovlen = d.n_parts};
    return sendmsg(sink.journal_fd, &datagram, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* A pipe that is ready for writing takes PIPE_BUF bytes, more than a line has. */
static bool stderr_has_room(void)
{
    struct pollfd pollfd = {.fd = STDERR_FILENO, .events = POLLOUT};

    return poll(&pollfd, 1, 0) > 0 && pollfd.revents & POLLOUT;
}

static ssize_t stderr_write(const char *line, size_t length)
{
    switch (sink.stderr_kind) {
    case STDERR_SOCKET:
        return send(sink.stderr_fd, line, length, MSG_DONTWAIT | MSG_NOSIGNAL);
    case STDERR_POLLED:
        if (!stderr_has_room())
            return -1;
        break;
    case STDERR_FILE:
    case STDERR_OPENED:
        break;
    }
    return write(sink.stderr_fd, line, length);
}

/* "2026-01-31T12:34:56.123456+01:00". */
static void format_time(char text[40])
{
    struct timespec now;
    struct tm tm;
    char zone[8];

    clock_gettime(CLOCK_REALTIME, &now);
    tzset(); /* localtime_r() need not notice that the time zone has changed */
    localtime_r(&now.tv_sec, &tm);
    strftime(text, 40, "%Y-%m-%dT%H:%M:%S", &tm);
    strftime(zone, sizeof(zone), "%z", &tm);
    size_t length = strlen(text);
    snprintf(text + length, 40 - length, ".%06ld%.3s:%.2s", now.tv_nsec / 1000, zone, zone + 3);
}

/* Makes one line of the text, whatever a client has put into it. The journal keeps newlines, since
 * its entries are no lines. */
static void flatten(char *line, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
            line[i] = '?';
}

static int stderr_send(int priority, const char *text)
{
    static const char *const words[] = {"emerg",   "alert",  "crit", "err",
                                        "warning", "notice", "info", "debug"};
    char line[TEXT_MAX + 192];

    const char *word = words[priority & 7];
    bool has_file = atomic_load(&sink.has_file);
    char time[40];
    int n;

    if (has_file) {
        format_time(time);
        n = snprintf(line, sizeof(line), "%s %.64s[%d]: %s: %s", time, sink.identifier,
                     (int)getpid(), word, text);
    } else {
        n = snprintf(line, sizeof(line), "%.64s: %s: %s", sink.identifier, word, text);
    }
    if (n < 0)
        return -EINVAL;
    flatten(line, (size_t)n);
    line[n++] = '\n';
    /* One write, so that lines of several threads and processes do not mix. */
    ssize_t n_written =
        has_file ? write(STDERR_FILENO, line, (size_t)n) : stderr_write(line, (size_t)n);
    return n_written == n ? 0 : -EAGAIN;
}

static int send_line(int priority, const char *const fields[], size_t n_fields, const char *message)
{
    return log_is_journal() ? journal_send(priority, fields, n_fields, message)
                            : stderr_send(priority, message + sizeof(MESSAGE_PREFIX) - 1);
}

static void say_what_was_lost(void)
{
    char message[96];
    uint64_t n_lost = atomic_exchange(&sink.n_lost, 0);

    if (n_lost == 0)
        return;
    snprintf(message, sizeof(message),
             MESSAGE_PREFIX "%" PRIu64 " log %s lost because %s did not accept them", n_lost,
             str_plural(n_lost, "line was", "lines were"),
             atomic_load(&sink.has_file) ? "the log file"
             : log_is_journal()          ? "the journal"
                                         : "standard error");
    if (send_line(LOG_WARNING, NULL, 0, message) < 0)
        atomic_fetch_add(&sink.n_lost, n_lost);
}

void log_line_v(int priority, const char *const fields[], size_t n_fields, const char *format,
                va_list arguments)
{
    char message[sizeof(MESSAGE_PREFIX) + TEXT_MAX]; /* not initialized: most lines need little */

    if (priority > sink.max_priority)
        return;
    memcpy(message, MESSAGE_PREFIX, sizeof(MESSAGE_PREFIX) - 1);
    char *text = message + sizeof(MESSAGE_PREFIX) - 1;
    vsnprintf(text, TEXT_MAX, format, arguments);
    utf8_make_visible(text, strlen(text));
    say_what_was_lost();
    if (send_line(priority, fields, n_fields, message) < 0)
        atomic_fetch_add(&sink.n_lost, 1);
}

void log_line(int priority, const char *const fields[], size_t n_fields, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    log_line_v(priority, fields, n_fields, format, arguments);
    va_end(arguments);
}
