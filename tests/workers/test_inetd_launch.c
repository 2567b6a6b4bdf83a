/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/suite.h"

#include "base/macro.h"
#include "workers/inetd/holder.h"
#include "workers/inetd/launch.h"
#include "workers/inetd/leftovers.h"
#include "workers/inetd/marks.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct rlimit descriptors;

static pid_t launch(const char *script, int socket, uint64_t mark)
{
    char *const arguments[] = {(char *)"/bin/sh", (char *)"-c", (char *)script, NULL};
    char *const environment[] = {NULL};
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &descriptors), 0);
    descriptors.rlim_cur = 99;
    const struct launch launch = {
        .arguments = arguments,
        .environment = environment,
        .socket = socket,
        .error = socket,
        .mark = mark,
        .descriptors = &descriptors,
    };

    return launch_program(&launch);
}

static void make_pair(int fds[2])
{
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
}

START_TEST(test_a_program_has_the_socket_and_leads_its_session)
{
    char text[64] = "";
    int fds[2];

    make_pair(fds);
    pid_t pid = launch("read x && echo \"$x $$\" $(ps -o sid= -p $$) $(ulimit -n)", fds[1], 0);
    ck_assert_int_gt(pid, 0);
    close(fds[1]);
    ck_assert_int_eq(write(fds[0], "hello\n", 6), 6);
    ck_assert_int_gt(recv(fds[0], text, sizeof(text) - 1, MSG_WAITALL), 0);
    char expected[64];
    snprintf(expected, sizeof(expected), "hello %d %d 99\n", (int)pid, (int)pid);
    ck_assert_str_eq(text, expected);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
    close(fds[0]);
}
END_TEST

START_TEST(test_what_cannot_be_executed_is_an_error)
{
    char *const arguments[] = {(char *)"/nowhere/at/all", NULL};
    const struct launch launch = {.arguments = arguments, .environment = arguments + 1};

    ck_assert_int_eq(launch_program(&launch), -ENOENT);
}
END_TEST

START_TEST(test_a_trial_runs_nothing)
{
    char path[] = "/tmp/test_inetd_launch-XXXXXX", text[128];
    int fd = mkstemp(path);
    struct stat st;

    ck_assert_int_ge(fd, 0);
    snprintf(text, sizeof(text), "#!/bin/sh\n: >%s.ran\n", path);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    ck_assert_int_eq(launch_try(path), -EACCES);
    ck_assert_int_eq(chmod(path, 0700), 0);
    ck_assert_int_eq(launch_try(path), 0);
    snprintf(text, sizeof(text), "%s.ran", path);
    ck_assert_int_eq(stat(text, &st), -1);
    unlink(path);
    ck_assert_int_eq(launch_try(path), -ENOENT);
    ck_assert_int_eq(launch_try("/bin/sh"), 0);
    ck_assert_int_eq(launch_try("/etc/passwd"), -EACCES);
}
END_TEST

START_TEST(test_ends_what_a_program_leaves_behind)
{
    uint64_t mark = marks_new(), other = marks_new();
    unsigned n_remaining;
    char text[64] = "";
    int fds[2];

    ck_assert_uint_ne(mark, other);
    make_pair(fds);
    ck_assert_int_eq(leftovers_start(), 0);
    pid_t pid = launch("setsid sh -c 'sleep 1000 & echo left' &", fds[1], mark);
    ck_assert_int_gt(pid, 0);
    close(fds[1]);
    ck_assert_int_eq(recv(fds[0], text, 5, MSG_WAITALL), 5);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
    ck_assert(leftovers_exist());
    ck_assert_uint_eq(leftovers_end(other, 1000000, &n_remaining), 0);
    ck_assert(leftovers_exist());
    ck_assert_uint_ge(leftovers_end(mark, 5000000, &n_remaining), 1);
    ck_assert_uint_eq(n_remaining, 0);
    ck_assert(!leftovers_exist());
    /* Nobody has the other end any more. */
    ck_assert_int_eq(recv(fds[0], text, 1, 0), 0);
    close(fds[0]);
}
END_TEST

/* The one that ends between a look at the list and its reaping leaves us its child. */
START_TEST(test_sees_the_child_of_one_that_is_reaped)
{
    ck_assert_int_eq(leftovers_start(), 0);
    for (int i = 0; i < 50; i++) {
        uint64_t mark = marks_new();
        unsigned n_remaining;
        char text[8];
        int fds[2];

        make_pair(fds);
        pid_t pid = launch("sh -c 'sleep 1000 & echo left' &", fds[1], mark);
        ck_assert_int_gt(pid, 0);
        close(fds[1]);
        ck_assert_int_eq(recv(fds[0], text, 5, MSG_WAITALL), 5);
        ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
        for (int k = 0; k < 200; k++)
            ck_assert_msg(leftovers_exist(), "round %d, look %d", i, k);
        ck_assert_uint_ge(leftovers_end(mark, 5000000, &n_remaining), 1);
        ck_assert_uint_eq(n_remaining, 0);
        ck_assert(!leftovers_exist());
        close(fds[0]);
    }
}
END_TEST

/* Each forks the next and ends: a list of all processes has none that lives on. Not for ever. */
static _Noreturn void run_chain(uint64_t mark)
{
    if (marks_set(mark) < 0 || setsid() < 0)
        _exit(EXIT_FAILURE);
    for (int i = 0; i < 50000; i++)
        if (fork() != 0)
            _exit(EXIT_SUCCESS);
    _exit(EXIT_SUCCESS);
}

START_TEST(test_ends_a_chain_of_processes)
{
    ck_assert_int_eq(leftovers_start(), 0);
    for (int i = 0; i < 10; i++) {
        uint64_t mark = marks_new();
        unsigned n_remaining;
        pid_t pid = fork();

        if (pid == 0)
            run_chain(mark);
        ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
        ck_assert(leftovers_exist());
        ck_assert_uint_ge(leftovers_end(mark, 10000000, &n_remaining), 1);
        ck_assert_uint_eq(n_remaining, 0);
        ck_assert_msg(!leftovers_exist(), "round %d", i);
    }
}
END_TEST

START_TEST(test_knows_whether_somebody_has_the_connection)
{
    int fds[2], null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

    make_pair(fds);
    int copy = fcntl(fds[1], F_DUPFD_CLOEXEC, 0);
    int holder = holder_start(fds[1], null_fd);
    ck_assert_int_ge(holder, 0);
    ck_assert(holder_has_connection(holder));
    close(copy);
    ck_assert(!holder_has_connection(holder));
    close(holder);
    close(fds[0]);
    close(fds[1]);
    close(null_fd);
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("inetd_launch");

    ADD_TESTS(suite, "launch", test_a_program_has_the_socket_and_leads_its_session,
              test_what_cannot_be_executed_is_an_error, test_a_trial_runs_nothing,
              test_ends_what_a_program_leaves_behind, test_sees_the_child_of_one_that_is_reaped,
              test_ends_a_chain_of_processes, test_knows_whether_somebody_has_the_connection);
    return suite;
}
