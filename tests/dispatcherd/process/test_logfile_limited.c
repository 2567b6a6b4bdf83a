/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The calls of logfile.h by another thread: results and what is found out come back, as do errors.
 * That a call may hang is tried in base/test_limited_call.c. */
#include "base/fd.h"
#include "dispatcherd/process/logfile_limited.h"
#include "support/suite.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[40], pattern[64];
static struct logfile file;

static void set_up(void)
{
    strcpy(folder, "/tmp/logfile-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(pattern, sizeof(pattern), "%s/log", folder);
    ck_assert_int_eq(logfile_name(&file, pattern, "mx1", 4711), 0);
}

static void tear_down(void)
{
    if (file.path)
        unlink(file.path);
    logfile_clear(&file);
    rmdir(folder);
}

START_TEST(test_a_file_is_opened_and_known_again)
{
    struct stat st;
    int fd = logfile_limited_open(&file);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(fstat(fd, &st), 0);
    ck_assert_uint_eq(file.inode, st.st_ino);
    ck_assert_uint_eq(file.device, st.st_dev);
    ck_assert_int_eq(write(fd, "x", 1), 1);
    ck_assert(logfile_limited_is_in_place(&file));
    fd_close(fd);
    ck_assert_int_eq(unlink(file.path), 0);
    ck_assert(!logfile_limited_is_in_place(&file));
}
END_TEST

START_TEST(test_an_error_leaves_what_is_known)
{
    char *path = file.path;

    ck_assert_int_eq(rmdir(folder), 0);
    ck_assert_int_eq(logfile_limited_open(&file), -ENOENT);
    ck_assert_ptr_eq(file.path, path);
    ck_assert_uint_eq(file.inode, 0);
}
END_TEST

START_TEST(test_a_predecessors_file_is_found_by_its_process)
{
    struct logfile found = {0};
    int fd = logfile_limited_open(&file);

    ck_assert_int_eq(logfile_limited_find(&found, pattern, "mx1", 4711), 0);
    ck_assert_str_eq(found.path, file.path);
    ck_assert_uint_eq(found.inode, file.inode);
    logfile_clear(&found);
    ck_assert_int_eq(logfile_limited_find(&found, pattern, "mx1", 4712), -ENOENT);
    ck_assert_ptr_null(found.path);
    fd_close(fd);
}
END_TEST

START_TEST(test_a_folder_is_there_or_not)
{
    ck_assert(logfile_limited_has_folder(folder));
    ck_assert(!logfile_limited_has_folder("/nonexistent"));
}
END_TEST

SUITE("logfile_limited", set_up, tear_down, test_a_file_is_opened_and_known_again,
      test_an_error_leaves_what_is_known, test_a_predecessors_file_is_found_by_its_process,
      test_a_folder_is_there_or_not)
