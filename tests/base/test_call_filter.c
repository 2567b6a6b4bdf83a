/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/suite.h"

#include "base/call_filter.h"
#include "base/fd.h"

#include <errno.h>
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

/* A filter stays for good: so each test, which Check runs in a process of its own, installs one. */
static bool install(unsigned what)
{
    ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    int r = call_filter_install(what);
    ck_assert(r == 0 || r == -EOPNOTSUPP);
    return r == 0;
}

static int set_linger(int fd, int seconds)
{
    const struct linger linger = {.l_onoff = 1, .l_linger = seconds};

    return setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)) < 0 ? -errno : 0;
}

static int set_flag(int fd, int level, int option)
{
    const int on = 1;

    return setsockopt(fd, level, option, &on, sizeof(on)) < 0 ? -errno : 0;
}

static int try_connect(int family)
{
    const struct sockaddr address = {.sa_family = (sa_family_t)family};
    _cleanup_fd_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    return connect(fd, &address, sizeof(address)) < 0 ? -errno : 0;
}

START_TEST(test_lingering_alone_is_forbidden)
{
    _cleanup_fd_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_eq(set_linger(fd, 1), 0);
    if (!install(CALL_FILTER_LINGER))
        return;
    ck_assert_int_eq(set_linger(fd, 40), -EPERM);
    ck_assert_int_eq(set_linger(fd, 0), -EPERM);
    ck_assert_int_eq(set_flag(fd, IPPROTO_TCP, TCP_NODELAY), 0);
    ck_assert_int_eq(set_flag(fd, SOL_SOCKET, SO_KEEPALIVE), 0);
    /* The number of SO_LINGER, of another level. */
    ck_assert_int_ne(set_flag(fd, IPPROTO_TCP, SO_LINGER), -EPERM);
    ck_assert_int_eq(try_connect(AF_UNSPEC), 0);
}
END_TEST

START_TEST(test_numbers_are_compared_as_the_kernel_takes_them)
{
    const struct linger linger = {.l_onoff = 1, .l_linger = 40};
    const long high = (long)(UINT64_C(1) << 40);
    _cleanup_fd_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (!install(CALL_FILTER_LINGER))
        return;
    /* It drops the upper half. */
    ck_assert_int_eq(
        syscall(SYS_setsockopt, fd, high | SOL_SOCKET, high | SO_LINGER, &linger, sizeof(linger)),
        -1);
    ck_assert_int_eq(errno, EPERM);
}
END_TEST

START_TEST(test_connecting_is_forbidden)
{
    const struct sockaddr_un journal = {.sun_family = AF_UNIX, .sun_path = "/run/nobody-is-here"};
    struct sockaddr_in any = {.sin_family = AF_INET};
    _cleanup_fd_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    _cleanup_fd_ int local = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    ck_assert_int_eq(try_connect(AF_UNSPEC), 0);
    if (!install(CALL_FILTER_CONNECT))
        return;
    ck_assert_int_eq(try_connect(AF_UNSPEC), -EPERM);
    ck_assert_int_eq(try_connect(AF_INET), -EPERM);
    ck_assert(bind(fd, (struct sockaddr *)&any, sizeof(any)) < 0 && errno == EPERM);
    ck_assert(listen(fd, 1) < 0 && errno == EPERM);
    ck_assert_int_eq(set_linger(fd, 1), 0);
    /* As the journal and the service manager are written to. */
    ck_assert_int_eq(sendto(local, "x", 1, 0, (const struct sockaddr *)&journal, sizeof(journal)),
                     -1);
    ck_assert_int_eq(errno, ENOENT);
}
END_TEST

START_TEST(test_rings_are_no_way_around)
{
    struct io_uring_params parameters = {0};

    if (!install(CALL_FILTER_LINGER))
        return;
    ck_assert_int_eq(syscall(SYS_io_uring_setup, 1, &parameters), -1);
    ck_assert_int_eq(errno, EPERM);
}
END_TEST

#if defined(__x86_64__) && !defined(__ILP32__)
START_TEST(test_other_sets_of_calls_are_forbidden)
{
    if (!install(CALL_FILTER_LINGER))
        return;
    ck_assert_int_eq(syscall(0x40000000L | SYS_getpid), -1);
    ck_assert_int_eq(errno, ENOSYS);
}
END_TEST
#endif

Suite *make_suite(void)
{
    Suite *suite = suite_create("call_filter");

    ADD_TESTS(suite, "call_filter", test_lingering_alone_is_forbidden,
              test_numbers_are_compared_as_the_kernel_takes_them, test_connecting_is_forbidden,
              test_rings_are_no_way_around);
#if defined(__x86_64__) && !defined(__ILP32__)
    ADD_TESTS(suite, "x86", test_other_sets_of_calls_are_forbidden);
#endif
    return suite;
}
