/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/suite.h"

#include "base/fd.h"
#include "base/log.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    FLOOD = 2000
}; /* lines: more than a pipe, a terminal or a socket holds */

struct reader {
    int read_fd;
    int saved_stderr;
};

/* Standard error leads to `write_fd` until reader_end(). */
static struct reader reader_begin(int read_fd, int write_fd)
{
    struct reader reader = {.read_fd = read_fd, .saved_stderr = dup(STDERR_FILENO)};

    dup2(write_fd, STDERR_FILENO);
    fd_set_nonblocking(read_fd, true);
    unsetenv("JOURNAL_STREAM");
    log_open("test");
    return reader;
}

static void reader_end(struct reader *reader)
{
    dup2(reader->saved_stderr, STDERR_FILENO);
    log_open("test");
    close(reader->saved_stderr);
}

/* Reads what there is; the last bytes are in `text`. */
static size_t reader_drain(const struct reader *reader, char *text, size_t size)
{
    size_t n_lines = 0;
    ssize_t n;

    text[0] = '\0';
    while ((n = read(reader->read_fd, text, size - 1)) > 0) {
        text[n] = '\0';
        for (ssize_t i = 0; i < n; i++)
            n_lines += text[i] == '\n';
    }
    return n_lines;
}

/* Nobody reads while more is logged than fits. Where log_line() waited, the test would be ended by
 * its time limit. */
static void flood_and_read(int read_fd, int write_fd)
{
    struct reader reader = reader_begin(read_fd, write_fd);
    char text[65536];

    for (int i = 0; i < FLOOD; i++)
        log_info("%0200d", i);
    size_t n_first = reader_drain(&reader, text, sizeof(text));
    log_info("the last");
    size_t n_last = reader_drain(&reader, text, sizeof(text));
    reader_end(&reader);

    ck_assert_uint_gt(n_first, 0);
    ck_assert_uint_lt(n_first, FLOOD);
    ck_assert_uint_eq(n_last, 2);
    unsigned long n_lost = 0;
    ck_assert_int_eq(sscanf(text,
                            "test: warning: %lu log lines were lost because standard "
                            "error did not accept them",
                            &n_lost),
                     1);
    ck_assert_uint_eq(n_lost, FLOOD - n_first);
    ck_assert_ptr_nonnull(strstr(text, "\ntest: info: the last\n"));
}

START_TEST(test_a_full_pipe_holds_nobody_up)
{
    int ends[2];

    ck_assert_int_eq(pipe(ends), 0);
    flood_and_read(ends[0], ends[1]);
    /* Others at the same pipe still wait for room as they did. */
    ck_assert_int_eq(fcntl(ends[1], F_GETFL) & O_NONBLOCK, 0);
    close(ends[0]);
    close(ends[1]);
}
END_TEST

/* Under another user's name the pipe may not be opened anew. */
/* Lines of which there are many stop when half of the pipe is full; the others have the rest. */
START_TEST(test_bulk_leaves_room)
{
    int ends[2], n = 0;
    char text[65536];

    ck_assert_int_eq(pipe(ends), 0);
    struct reader reader = reader_begin(ends[0], ends[1]);
    for (; n < FLOOD && log_has_room_for_bulk(); n++)
        log_info("%0200d", n);
    log_notice("important");
    size_t n_lines = reader_drain(&reader, text, sizeof(text));
    bool has_room = log_has_room_for_bulk();
    reader_end(&reader);
    ck_assert_int_gt(n, 10);
    ck_assert_int_lt(n, FLOOD);
    ck_assert_uint_eq(n_lines, (size_t)n + 1);
    ck_assert(has_room);
    close(ends[0]);
    close(ends[1]);
}
END_TEST

START_TEST(test_a_full_pipe_of_somebody_else_holds_nobody_up)
{
    int ends[2];

    ck_assert_int_eq(pipe(ends), 0);
    if (geteuid() == 0)
        ck_assert_int_eq(seteuid(65534), 0);
    else
        ck_assert_int_eq(fchmod(ends[1], 0), 0);
    flood_and_read(ends[0], ends[1]);
    if (getuid() == 0)
        ck_assert_int_eq(seteuid(0), 0);
    close(ends[0]);
    close(ends[1]);
}
END_TEST

START_TEST(test_a_full_socket_holds_nobody_up)
{
    int ends[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    flood_and_read(ends[0], ends[1]);
    close(ends[0]);
    close(ends[1]);
}
END_TEST

START_TEST(test_a_terminal_that_is_not_read_holds_nobody_up)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    char text[65536];

    ck_assert_int_ge(master, 0);
    ck_assert_int_eq(grantpt(master), 0);
    ck_assert_int_eq(unlockpt(master), 0);
    int terminal = open(ptsname(master), O_RDWR | O_NOCTTY);
    ck_assert_int_ge(terminal, 0);
    struct reader reader = reader_begin(master, terminal);
    for (int i = 0; i < FLOOD; i++)
        log_info("%0200d", i);
    size_t n = reader_drain(&reader, text, sizeof(text));
    reader_end(&reader);
    ck_assert_uint_gt(n, 0);
    ck_assert_uint_lt(n, FLOOD);
    close(terminal);
    close(master);
}
END_TEST

/* What others append to the same file stays, and so does what was there. */
START_TEST(test_a_file_takes_every_line_behind_what_it_has)
{
    char name[] = "/tmp/test_log.XXXXXX", text[65536];
    int fd = mkstemp(name);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(dprintf(fd, "before\n"), 7);
    int read_fd = open(name, O_RDONLY);
    struct reader reader = reader_begin(read_fd, fd);
    for (int i = 0; i < FLOOD; i++)
        log_info("%d", i);
    size_t n = reader_drain(&reader, text, sizeof(text));
    reader_end(&reader);
    unlink(name);
    close(fd);
    close(read_fd);
    ck_assert_uint_eq(n, FLOOD + 1);
}
END_TEST

/* What strangers have written must not turn the line around, hide a part of it, or move the
 * cursor. */
START_TEST(test_text_of_strangers_is_shown_as_it_is)
{
    char text[256];
    int ends[2];

    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    struct reader reader = reader_begin(ends[0], ends[1]);
    log_info("from <%s>", "\xe2\x80\xae"
                          "moc.elpmaxe\xe2\x80\xac\x1b[2J\xc2\x9b\n\xc3\xa4");
    (void)reader_drain(&reader, text, sizeof(text));
    reader_end(&reader);
    close(ends[0]);
    close(ends[1]);
    ck_assert_str_eq(text, "test: info: from <???moc.elpmaxe????[2J???\xc3\xa4>\n");
}
END_TEST

SUITE("log", NULL, NULL, test_a_full_pipe_holds_nobody_up, test_bulk_leaves_room,
      test_a_full_pipe_of_somebody_else_holds_nobody_up, test_a_full_socket_holds_nobody_up,
      test_a_terminal_that_is_not_read_holds_nobody_up,
      test_a_file_takes_every_line_behind_what_it_has, test_text_of_strangers_is_shown_as_it_is)
