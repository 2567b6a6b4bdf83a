/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "base/macro.h"
#include "dispatcherd/process/environment.h"
#include "protocol/tunables.h"
#include "support/suite.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char **old_environment;

/* The environment of the daemon; ends with NULL. */
static void set_environment(const char *const variables[])
{
    environ = (char **)variables;
}

static void set_up(void)
{
    old_environment = environ;
}

static void tear_down(void)
{
    environ = old_environment;
}

static size_t count(char *const *environment)
{
    size_t n = 0;

    while (environment[n])
        n++;
    return n;
}

static unsigned n_times(char *const *environment, const char *variable)
{
    unsigned n = 0;

    for (; *environment; environment++)
        n += strcmp(*environment, variable) == 0;
    return n;
}

START_TEST(test_without_an_environment_there_is_what_each_worker_gets)
{
    static const char *const variables[] = {NULL};

    set_environment(variables);
    char **environment = worker_environment_new();
    ck_assert_ptr_nonnull(environment);
    ck_assert_uint_eq(count(environment), 2);
    ck_assert_uint_eq(n_times(environment, "LISTEN_FDS=1"), 1);
    ck_assert_uint_eq(n_times(environment, WORKER_TUNABLES), 1);
    free(environment);
}
END_TEST

/* The list of dispatcherd(8), ENVIRONMENT. */
START_TEST(test_what_any_program_needs_is_passed_on)
{
    static const char *const variables[] = {
        "PATH=/bin",
        "HOME=/root",
        "USER=root",
        "LOGNAME=root",
        "SHELL=/bin/sh",
        "LANG=de_DE",
        "LANGUAGE=de",
        "LC_ALL=C",
        "LC_MESSAGES=de_DE",
        "TZ=UTC",
        "TZDIR=/zones",
        "TMPDIR=/tmp",
        "LD_LIBRARY_PATH=/lib",
        "JOURNAL_STREAM=1:2",
        "GLIBC_TUNABLES=glibc.rtld.nns=4",
        NULL,
    };

    set_environment(variables);
    char **environment = worker_environment_new();
    ck_assert_ptr_nonnull(environment);
    for (size_t i = 0; variables[i]; i++) {
        ck_assert_msg(n_times(environment, variables[i]) == 1, "%s", variables[i]);
        /* It is no copy. */
        ck_assert_ptr_eq(environment[i], variables[i]);
    }
    ck_assert_uint_eq(count(environment), ELEMENTSOF(variables) - 1 + 1);
    ck_assert_uint_eq(n_times(environment, "LISTEN_FDS=1"), 1);
    free(environment);
}
END_TEST

START_TEST(test_nothing_else_is_passed_on)
{
    static const char *const variables[] = {
        "DATABASE_PASSWORD=secret",
        "NOTIFY_SOCKET=/run/systemd/notify",
        "WATCHDOG_USEC=1000",
        "LISTEN_PID=1",
        "LISTEN_FDS=7",
        "LISTEN_FDNAMES=a:b",
        "IMTA_DISPATCHER_DEBUG=-1",
        "LD_PRELOAD=/tmp/evil.so",
        /* Names that are like those that are passed on. */
        "PATHS=/bin",
        "PAT=/bin",
        "XPATH=/bin",
        "path=/bin",
        "TZDIRS=/zones",
        "LC=C",
        "GLIBC_TUNABLES_OLD=x",
        "=x",
        "",
        "HOME",
        NULL,
    };

    set_environment(variables);
    char **environment = worker_environment_new();
    ck_assert_ptr_nonnull(environment);
    ck_assert_uint_eq(count(environment), 2);
    ck_assert_uint_eq(n_times(environment, "LISTEN_FDS=1"), 1);
    ck_assert_uint_eq(n_times(environment, WORKER_TUNABLES), 1);
    free(environment);
}
END_TEST

START_TEST(test_an_empty_value_is_a_value)
{
    static const char *const variables[] = {"TZ=", WORKER_TUNABLES_NAME "=", NULL};

    set_environment(variables);
    char **environment = worker_environment_new();
    ck_assert_ptr_nonnull(environment);
    ck_assert_uint_eq(count(environment), 3);
    ck_assert_uint_eq(n_times(environment, "TZ="), 1);
    ck_assert_uint_eq(n_times(environment, WORKER_TUNABLES_NAME "="), 1);
    ck_assert_uint_eq(n_times(environment, WORKER_TUNABLES), 0);
    free(environment);
}
END_TEST

SUITE("environment", set_up, tear_down, test_without_an_environment_there_is_what_each_worker_gets,
      test_what_any_program_needs_is_passed_on, test_nothing_else_is_passed_on,
      test_an_empty_value_is_a_value)
