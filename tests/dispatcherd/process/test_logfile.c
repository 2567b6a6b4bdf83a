/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/suite.h"

#include "base/fd.h"
#include "base/macro.h"
#include "dispatcherd/process/logfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/test_logfile.XXXXXX";
static char pattern[PATH_MAX];

static void set_up(void)
{
    strcpy(folder + strlen(folder) - 6, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(pattern, sizeof(pattern), "%s/out_%%s%%%%.log", folder);
}

static void tear_down(void)
{
    char command[PATH_MAX];

    snprintf(command, sizeof(command), "rm -rf %s", folder);
    ck_assert_int_eq(system(command), 0);
}

START_TEST(test_the_name_has_host_time_and_process)
{
    _cleanup_(logfile_clear) struct logfile file = {0};
    char expected[PATH_MAX];
    int end = 0;

    ck_assert_int_eq(logfile_name(&file, pattern, "freddy", 4711), 0);
    snprintf(expected, sizeof(expected), "%s/out_freddy%%.log-", folder);
    ck_assert_int_eq(strncmp(file.path, expected, strlen(expected)), 0);
    ck_assert_int_eq(sscanf(file.path + strlen(expected), "%*8[0-9]T%*6[0-9].4711%n", &end), 0);
    ck_assert_int_eq(file.path[strlen(expected) + (size_t)end], '\0');
}
END_TEST

START_TEST(test_a_name_that_is_too_long_is_none)
{
    _cleanup_(logfile_clear) struct logfile file = {0};
    char path[2 * PATH_MAX];

    memset(path, '/', sizeof(path));
    path[PATH_MAX - 10] = '\0';
    ck_assert_int_eq(logfile_name(&file, path, "freddy", 4711), -ENAMETOOLONG);
    ck_assert_ptr_null(file.path);
}
END_TEST

START_TEST(test_a_file_that_was_moved_is_made_anew_under_its_name)
{
    _cleanup_(logfile_clear) struct logfile file = {0};
    char moved[PATH_MAX];
    struct stat st;

    ck_assert_int_eq(logfile_name(&file, pattern, "freddy", 4711), 0);
    _cleanup_fd_ int first = logfile_open(&file);
    ck_assert_int_ge(first, 0);
    ck_assert_int_eq(fcntl(first, F_GETFD), FD_CLOEXEC);
    ck_assert(fcntl(first, F_GETFL) & O_APPEND);
    ck_assert_int_eq(fstat(first, &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777, 0640);
    ck_assert(logfile_is_in_place(&file));
    snprintf(moved, sizeof(moved), "%s/moved", folder);
    ck_assert_int_eq(rename(file.path, moved), 0);
    ck_assert(!logfile_is_in_place(&file));
    _cleanup_fd_ int second = logfile_open(&file);
    ck_assert_int_ge(second, 0);
    ck_assert(logfile_is_in_place(&file));
    ck_assert_int_eq(write(first, "a", 1), 1);
    ck_assert_int_eq(write(second, "bc", 2), 2);
    ck_assert_int_eq(stat(moved, &st), 0);
    ck_assert_int_eq(st.st_size, 1);
    ck_assert_int_eq(stat(file.path, &st), 0);
    ck_assert_int_eq(st.st_size, 2);
}
END_TEST

START_TEST(test_finds_the_newest_file_of_the_process)
{
    static const char *const names[] = {
        "out_freddy%.log-20260101T000000.4711",  "out_freddy%.log-20260102T000000.4711",
        "out_freddy%.log-20260103T000000.471",   "out_freddy%.log-20260103T000000.14711",
        "out_freddy%.log-20260104T000000.4711x", "out_other%.log-20260104T000000.4711",
        "out_freddy%.log-20260104-00000.4711",   "out_freddy%.log-4711",
    };
    _cleanup_(logfile_clear) struct logfile file = {0};
    char path[PATH_MAX];

    ck_assert_int_eq(logfile_find(&file, pattern, "freddy", 4711), -ENOENT);
    for (size_t i = 0; i < ELEMENTSOF(names); i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        _cleanup_fd_ int fd = open(path, O_CREAT | O_WRONLY, 0600);
        ck_assert_int_ge(fd, 0);
    }
    ck_assert_int_eq(logfile_find(&file, pattern, "freddy", 4711), 0);
    snprintf(path, sizeof(path), "%s/%s", folder, names[1]);
    ck_assert_str_eq(file.path, path);
    ck_assert(logfile_is_in_place(&file));
}
END_TEST

/* Nothing that somebody else has put there, and nothing that waits. */
START_TEST(test_opens_nothing_but_a_plain_file_of_its_own)
{
    _cleanup_(logfile_clear) struct logfile file = {0};
    char other[PATH_MAX];

    ck_assert_int_eq(logfile_name(&file, pattern, "freddy", 4711), 0);
    snprintf(other, sizeof(other), "%s/other", folder);
    fd_close(open(other, O_CREAT | O_WRONLY, 0600));

    ck_assert_int_eq(symlink(other, file.path), 0);
    ck_assert_int_eq(logfile_open(&file), -ELOOP);
    unlink(file.path);
    ck_assert_int_eq(link(other, file.path), 0);
    ck_assert_int_eq(logfile_open(&file), -EEXIST);
    unlink(file.path);
    ck_assert_int_eq(mkfifo(file.path, 0600), 0);
    ck_assert_int_eq(logfile_open(&file), -ENXIO);
    _cleanup_fd_ int reader = open(file.path, O_RDONLY | O_NONBLOCK);
    ck_assert_int_ge(reader, 0);
    ck_assert_int_eq(logfile_open(&file), -EEXIST);
    unlink(file.path);
    ck_assert_int_eq(mkdir(file.path, 0700), 0);
    ck_assert_int_eq(logfile_open(&file), -EISDIR);
}
END_TEST

START_TEST(test_the_folder)
{
    char text[PATH_MAX];

    ck_assert_int_eq(logfile_folder("/var/log/%s/x.log", "freddy", text), 0);
    ck_assert_str_eq(text, "/var/log/freddy");
    ck_assert_int_eq(logfile_folder("/x.log", "freddy", text), 0);
    ck_assert_str_eq(text, "/");
}
END_TEST

SUITE("logfile", set_up, tear_down, test_the_name_has_host_time_and_process,
      test_a_name_that_is_too_long_is_none, test_a_file_that_was_moved_is_made_anew_under_its_name,
      test_finds_the_newest_file_of_the_process, test_opens_nothing_but_a_plain_file_of_its_own,
      test_the_folder)
