/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/suite.h"

#include "base/time.h"
#include "libdispatcher/manager.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* A service manager's socket, and the environment that names it. */
static int listen_as_manager(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int n = snprintf(address.sun_path, sizeof(address.sun_path), "@test-manager-%d", (int)getpid());
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    setenv("NOTIFY_SOCKET", address.sun_path, 1);
    address.sun_path[0] = '\0';
    socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)n);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, length), 0);
    return fd;
}

static const char *next_word(int fd)
{
    static char text[128];
    ssize_t length = recv(fd, text, sizeof(text) - 1, 0);

    text[length > 0 ? length : 0] = '\0';
    return text;
}

START_TEST(test_says_nothing_without_a_manager)
{
    unsetenv("NOTIFY_SOCKET");
    struct manager manager = manager_start();
    ck_assert_uint_eq(manager.next_at, USEC_INFINITY);
}
END_TEST

START_TEST(test_says_ready_once)
{
    int fd = listen_as_manager();

    unsetenv("WATCHDOG_USEC");
    struct manager manager = manager_start();
    manager_attend(&manager, 1000);
    ck_assert_str_eq(next_word(fd), "READY=1");
    ck_assert_uint_eq(manager.next_at, USEC_INFINITY);
    manager_attend(&manager, 2000);
    ck_assert_str_eq(next_word(fd), "");
}
END_TEST

START_TEST(test_feeds_the_watchdog_in_half_its_time)
{
    int fd = listen_as_manager();
    char pid[16];

    setenv("WATCHDOG_USEC", "10000000", 1);
    snprintf(pid, sizeof(pid), "%d", (int)getpid());
    setenv("WATCHDOG_PID", pid, 1);
    struct manager manager = manager_start();
    manager_attend(&manager, 1000);
    ck_assert_str_eq(next_word(fd), "READY=1");
    ck_assert_str_eq(next_word(fd), "WATCHDOG=1");
    ck_assert_uint_eq(manager.next_at, 5001000);
    manager_attend(&manager, 5000999);
    ck_assert_str_eq(next_word(fd), "");
    manager_attend(&manager, 5001000);
    ck_assert_str_eq(next_word(fd), "WATCHDOG=1");
    /* Somebody else's watchdog. */
    setenv("WATCHDOG_PID", "1", 1);
    manager = manager_start();
    ck_assert_uint_eq(manager.watchdog_usec, 0);
}
END_TEST

START_TEST(test_says_ready_again_to_a_busy_manager)
{
    int fd = listen_as_manager();

    unsetenv("WATCHDOG_USEC");
    for (;;) { /* until its queue is full */
        struct manager other = manager_start();

        manager_attend(&other, 0);
        if (other.owes_ready)
            break;
    }
    struct manager manager = manager_start();
    manager_attend(&manager, 1000);
    ck_assert_uint_eq(manager.next_at, 101000);
    while (next_word(fd)[0])
        ;
    manager_attend(&manager, 101000);
    ck_assert_str_eq(next_word(fd), "READY=1");
    ck_assert_uint_eq(manager.next_at, USEC_INFINITY);
}
END_TEST

SUITE("manager", NULL, NULL, test_says_nothing_without_a_manager, test_says_ready_once,
      test_feeds_the_watchdog_in_half_its_time, test_says_ready_again_to_a_busy_manager)
