/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The credential with the store's password, in a folder of the test's own. */
#include "support/suite.h"

#include "base/fd.h"
#include "base/macro.h"
#include "dispatcherd/fleet/password.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef HAVE_HIREDIS
static char folder[] = "/tmp/password-XXXXXX";
static char path[64];
static char password[FLEET_PASSWORD_MAX];

static void set_up(void)
{
    strcpy(folder + strlen(folder) - 6, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/fleet.password", folder);
    ck_assert_int_eq(setenv("CREDENTIALS_DIRECTORY", folder, true), 0);
    memset(password, 'x', sizeof(password));
}

static void tear_down(void)
{
    (void)remove(path);
    ck_assert_int_eq(rmdir(folder), 0);
}

static void store(const char *text, size_t size)
{
    _cleanup_fd_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, size), (ssize_t)size);
}

START_TEST(test_reads_one_line_without_its_end)
{
    static const struct {
        const char *text, *password;
    } cases[] = {{"secret", "secret"},
                 {"secret\n", "secret"},
                 {"secret\r\n", "secret"},
                 {" a b\t\n", " a b\t"},
                 {"secret\n\n", "secret"}};

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        store(cases[i].text, strlen(cases[i].text));
        ck_assert_int_eq(fleet_password_read(password), 1);
        ck_assert_str_eq(password, cases[i].password);
    }
}
END_TEST

START_TEST(test_there_may_be_none)
{
    char long_path[PATH_MAX];

    ck_assert_int_eq(fleet_password_read(password), 0);
    store("", 0);
    ck_assert_int_eq(fleet_password_read(password), 0);
    store("\n", 1);
    ck_assert_int_eq(fleet_password_read(password), 0);
    store("secret\n", 7);
    memset(long_path, '/', sizeof(long_path) - 1);
    long_path[sizeof(long_path) - 1] = '\0';
    ck_assert_int_eq(setenv("CREDENTIALS_DIRECTORY", long_path, true), 0);
    ck_assert_int_eq(fleet_password_read(password), 0);
    ck_assert_int_eq(unsetenv("CREDENTIALS_DIRECTORY"), 0);
    ck_assert_int_eq(fleet_password_read(password), 0);
}
END_TEST

/* A part of a password would be a wrong one. */
START_TEST(test_a_longer_one_is_refused_as_a_whole)
{
    char text[FLEET_PASSWORD_MAX + 1];

    memset(text, 'p', sizeof(text));
    store(text, FLEET_PASSWORD_MAX - 1);
    ck_assert_int_eq(fleet_password_read(password), 1);
    ck_assert_uint_eq(strlen(password), FLEET_PASSWORD_MAX - 1);
    store(text, FLEET_PASSWORD_MAX);
    ck_assert_int_eq(fleet_password_read(password), -E2BIG);
    store(text, FLEET_PASSWORD_MAX + 1);
    ck_assert_int_eq(fleet_password_read(password), -E2BIG);
}
END_TEST

START_TEST(test_what_cannot_be_read_is_an_error)
{
    ck_assert_int_eq(mkdir(path, 0700), 0);
    ck_assert_int_eq(fleet_password_read(password), -EISDIR);
    ck_assert_int_eq(rmdir(path), 0);
    ck_assert_int_eq(symlink("fleet.password", path), 0);
    ck_assert_int_eq(fleet_password_read(password), -ELOOP);
}
END_TEST

/* The daemon goes on: with nobody who writes into the pipe, and with one who does not. */
START_TEST(test_a_pipe_delays_nobody)
{
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    ck_assert_int_eq(fleet_password_read(password), 0);
    _cleanup_fd_ int writer = open(path, O_RDWR | O_CLOEXEC);
    ck_assert_int_ge(writer, 0);
    ck_assert_int_eq(fleet_password_read(password), -EAGAIN);
}
END_TEST

/* Each connection to the store has the password of its time. */
START_TEST(test_reads_it_anew_each_time)
{
    store("first\n", 6);
    ck_assert_int_eq(fleet_password_read(password), 1);
    store("second\n", 7);
    ck_assert_int_eq(fleet_password_read(password), 1);
    ck_assert_str_eq(password, "second");
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(fleet_password_read(password), 0);
}
END_TEST
#endif

Suite *make_suite(void)
{
    Suite *suite = suite_create("password");

#ifdef HAVE_HIREDIS
    ADD_FIXTURE_TESTS(suite, "password", set_up, tear_down, test_reads_one_line_without_its_end,
                      test_there_may_be_none, test_a_longer_one_is_refused_as_a_whole,
                      test_what_cannot_be_read_is_an_error, test_a_pipe_delays_nobody,
                      test_reads_it_anew_each_time);
#endif
    return suite;
}
