/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Advice for whoever types "dispatcherd": written to a pipe here. */
#include "dispatcherd/by_hand.h"
#include "support/suite.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

static char advice[2048];

static void set_up(void)
{
    unsetenv("NOTIFY_SOCKET");
    unsetenv("LISTEN_FDS");
    unsetenv("INVOCATION_ID");
}

/* Returns the exit status, with what was written in `advice`. */
static int advise(const char *file)
{
    int fds[2], before = dup(STDERR_FILENO);

    ck_assert_int_eq(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
    ck_assert_int_eq(dup2(fds[1], STDERR_FILENO), STDERR_FILENO);
    int status = by_hand_advise(file);
    fflush(stderr);
    ck_assert_int_eq(dup2(before, STDERR_FILENO), STDERR_FILENO);
    ssize_t n = read(fds[0], advice, sizeof(advice) - 1);
    advice[n > 0 ? n : 0] = '\0';
    close(before);
    close(fds[0]);
    close(fds[1]);
    return status;
}

START_TEST(test_without_a_configuration_a_person_learns_how_to_begin)
{
    ck_assert_int_eq(advise("/nonexistent/dispatcher.cnf"), EX_CONFIG);
    ck_assert_ptr_nonnull(
        strstr(advice, "there is no configuration file /nonexistent/dispatcher.cnf."));
    ck_assert_ptr_nonnull(strstr(advice, "dispatcherd --config FILE --control ./control"));
}
END_TEST

/* It would take the advice for the daemon's log. */
START_TEST(test_a_service_manager_is_given_none)
{
    static const char *const names[] = {"NOTIFY_SOCKET", "LISTEN_FDS", "INVOCATION_ID"};

    for (unsigned i = 0; i < 3; i++) {
        set_up();
        ck_assert_int_eq(setenv(names[i], "1", true), 0);
        ck_assert_int_eq(advise("/nonexistent/dispatcher.cnf"), 0);
        ck_assert_str_eq(advice, "");
    }
}
END_TEST

START_TEST(test_another_file_is_nobodys_business)
{
    ck_assert_int_eq(advise("/dev/null"), 0);
    ck_assert_str_eq(advice, "");
    /* It is there, and cannot be read: what reads it will say so. */
    ck_assert_int_eq(advise("/dev/null/dispatcher.cnf"), 0);
    ck_assert_str_eq(advice, "");
}
END_TEST

SUITE("by_hand", set_up, NULL, test_without_a_configuration_a_person_learns_how_to_begin,
      test_a_service_manager_is_given_none, test_another_file_is_nobodys_business)
