/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/suite.h"

#include "base/fd.h"
#include "base/text_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static char dir[32];

static void setup(void)
{
    strcpy(dir, "/tmp/text-file-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
}

static void teardown(void)
{
    char command[64];

    snprintf(command, sizeof(command), "rm -r %s", dir);
    ck_assert_int_eq(system(command), 0);
}

static const char *path_of(const char *name)
{
    static char path[64];

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    return path;
}

/* What opening comes to: "text" of a file that can be read, the fault, or the error. */
static const char *open_and_read(const char *path, bool may_be_stdin)
{
    static char line[64];
    const char *fault;
    FILE *stream = NULL;
    struct stat st;

    int r = text_file_open(path, may_be_stdin, &stream, &st, &fault);
    ck_assert_int_eq(r == -EINVAL, fault != NULL);
    if (r < 0)
        return fault ? fault : strerror(-r);
    ck_assert_ptr_nonnull(fgets(line, sizeof(line), stream));
    fclose(stream);
    return line;
}

START_TEST(test_reads_regular_files_and_what_leads_to_them)
{
    FILE *stream = fopen(path_of("file"), "w");

    fputs("text", stream);
    fclose(stream);
    ck_assert_int_eq(symlink("file", path_of("link")), 0);
    ck_assert_str_eq(open_and_read(path_of("file"), false), "text");
    ck_assert_str_eq(open_and_read(path_of("link"), true), "text");
    ck_assert_str_eq(open_and_read(path_of("missing"), true), strerror(ENOENT));
}
END_TEST

START_TEST(test_refuses_all_else_at_once)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    ck_assert_int_eq(mkfifo(path_of("pipe"), 0600), 0);
    _cleanup_fd_ int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    strcpy(address.sun_path, path_of("socket"));
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);

    for (int may_be_stdin = 0; may_be_stdin <= 1; may_be_stdin++) {
        ck_assert(strstr(open_and_read(path_of("pipe"), may_be_stdin), "named pipe"));
        ck_assert(strstr(open_and_read(path_of("socket"), may_be_stdin), "socket"));
        ck_assert(strstr(open_and_read(dir, may_be_stdin), "directory"));
        ck_assert(strstr(open_and_read("/dev/zero", may_be_stdin), "device"));
        ck_assert(strstr(open_and_read("/dev/tty", may_be_stdin), "device"));
    }
    /* A writer makes no difference. */
    _cleanup_fd_ int both = open(path_of("pipe"), O_RDWR);
    ck_assert_int_ge(both, 0);
    ck_assert(strstr(open_and_read(path_of("pipe"), true), "named pipe"));
}
END_TEST

START_TEST(test_reads_a_pipe_that_was_handed_over)
{
    char path[40];
    int fds[2];

    ck_assert_int_eq(pipe(fds), 0);
    ck_assert_int_eq(write(fds[1], "text", 4), 4);
    close(fds[1]);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fds[0]);
    ck_assert(strstr(open_and_read(path, false), "named pipe"));
    ck_assert_str_eq(open_and_read(path, true), "text");
    close(fds[0]);
}
END_TEST

SUITE("text_file", setup, teardown, test_reads_regular_files_and_what_leads_to_them,
      test_refuses_all_else_at_once, test_reads_a_pipe_that_was_handed_over)
