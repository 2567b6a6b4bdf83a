#include "base/log.h"

#include "base/fd.h"
#include "base/str.h"

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    TEXT_MAX = 2048, /* bytes of one line's text */
    FIELDS_MAX = 64, /* fields that a caller may add */
    IOVEC_MAX = 16 + 5 * FIELDS_MAX,
};

/* Set before there are threads, save the counter. */
static struct {
    const char *identifier;
    int journal_fd; /* -1: standard error */
    int max_priority;
    _Atomic uint64_t n_lost;
} sink = {.identifier = "dispatcherd", .journal_fd = -1, .max_priority = LOG_DEBUG};

/* JOURNAL_STREAM is "device:inode" of the stream that systemd connected (systemd.exec(5)); a
 * program started below us with another standard error inherits the variable, but not the file. */
static bool stderr_is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    uintmax_t device, inode;
    struct stat st;

    return stream && sscanf(stream, "%ju:%ju", &device, &inode) == 2 &&
           fstat(STDERR_FILENO, &st) == 0 && st.st_dev == (dev_t)device &&
           st.st_ino == (ino_t)inode;
}

static int connect_to_journal(int fd)
{
    const struct sockaddr_un address = {.sun_family = AF_UNIX,
                                        .sun_path = "/run/systemd/journal/socket"};

    return connect(fd, (const struct sockaddr *)&address, sizeof(address));
}

void log_open(const char *identifier)
{
    sink.identifier = identifier;
    sink.journal_fd = fd_close(sink.journal_fd);
    if (!stderr_is_journal())
        return;
    _cleanup_fd_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || connect_to_journal(fd) < 0)
        return;
    sink.journal_fd = take_fd(&fd);
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
    struct datagram d; /* whose room is left as it is: most lines need little */

    d.n_parts = d.n_lengths = 0;
    snprintf(head, sizeof(head), "PRIORITY=%d\nSYSLOG_IDENTIFIER=%.64s\n", priority,
             sink.identifier);
    add_bytes(&d, head, strlen(head));
    add_field(&d, message);
    for (size_t i = 0; i < n_fields && i < FIELDS_MAX; i++)
        add_field(&d, fields[i]);
    struct msghdr datagram = {.msg_iov = d.parts, .msg_iovlen = d.n_parts};
    if (sendmsg(sink.journal_fd, &datagram, MSG_NOSIGNAL) >= 0)
        return 0;
    if (errno == ECONNREFUSED || errno == ENOTCONN || errno == ENOENT) {
        /* journald was restarted: its socket is a new one. Ours stays the same, since other threads
         * may be using it. */
        if (connect_to_journal(sink.journal_fd) == 0 &&
            sendmsg(sink.journal_fd, &datagram, MSG_NOSIGNAL) >= 0)
            return 0;
    }
    return -errno;
}

static void stderr_send(int priority, const char *text)
{
    static const char *const words[] = {"emerg",   "alert",  "crit", "err",
                                        "warning", "notice", "info", "debug"};
    char line[TEXT_MAX + 128];

    /* One write, so that the lines of several threads and processes stay whole. */
    int n =
        snprintf(line, sizeof(line), "%.64s: %s: %s\n", sink.identifier, words[priority & 7], text);
    if (n > 0)
        (void)!write(STDERR_FILENO, line, (size_t)n);
}

static void say_what_was_lost(void)
{
    char message[96];
    uint64_t n_lost = atomic_exchange(&sink.n_lost, 0);

    if (n_lost == 0)
        return;
    snprintf(message, sizeof(message),
             "MESSAGE=%" PRIu64 " log %s left out because the journal took none", n_lost,
             str_plural(n_lost, "line was", "lines were"));
    if (journal_send(LOG_WARNING, NULL, 0, message) < 0)
        atomic_fetch_add(&sink.n_lost, n_lost);
}

void log_line_v(int priority, const char *const fields[], size_t n_fields, const char *format,
                va_list arguments)
{
    static const char prefix[] = "MESSAGE=";
    char message[sizeof(prefix) + TEXT_MAX];
    char *text = message + sizeof(prefix) - 1;

    if (priority > sink.max_priority)
        return;
    memcpy(message, prefix, sizeof(prefix) - 1);
    vsnprintf(text, TEXT_MAX, format, arguments);
    if (sink.journal_fd < 0) {
        stderr_send(priority, text);
        return;
    }
    say_what_was_lost();
    if (journal_send(priority, fields, n_fields, message) < 0)
        atomic_fetch_add(&sink.n_lost, 1);
}

void log_line(int priority, const char *const fields[], size_t n_fields, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    log_line_v(priority, fields, n_fields, format, arguments);
    va_end(arguments);
}
