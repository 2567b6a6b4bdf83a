/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "base/accept_error.h"
#include "base/fd.h"
#include "base/macro.h"
#include "support/suite.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

static int new_socket(bool is_listening)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const struct sockaddr_in loopback = {.sin_family = AF_INET,
                                         .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(bind(fd, (const struct sockaddr *)&loopback, sizeof(loopback)), 0);
    if (is_listening)
        ck_assert_int_eq(listen(fd, 1), 0);
    return fd;
}

/* Each error of accept4(2), and some that it does not name. */
static const struct {
    int error;
    enum accept_error listening, closed;
} cases[] = {
    {EAGAIN, ACCEPT_ERROR_EMPTY, ACCEPT_ERROR_EMPTY},
    {EWOULDBLOCK, ACCEPT_ERROR_EMPTY, ACCEPT_ERROR_EMPTY},
    {EBADF, ACCEPT_ERROR_PAUSE, ACCEPT_ERROR_LOST},
    {ECONNABORTED, ACCEPT_ERROR_NEXT, ACCEPT_ERROR_NEXT},
    {EFAULT, ACCEPT_ERROR_PAUSE, ACCEPT_ERROR_LOST},
    {EINTR, ACCEPT_ERROR_NEXT, ACCEPT_ERROR_NEXT},
    {EINVAL, ACCEPT_ERROR_PAUSE, ACCEPT_ERROR_LOST},
    {EMFILE, ACCEPT_ERROR_PAUSE, ACCEPT_ERROR_LOST},
    {ENFILE, ACCEPT_ERROR_PAUSE, ACCEPT_ERROR_LOST},
    {ENOBUFS, ACCEPT_ERROR_PAUSE, ACCEPT_ERROR_LOST},
    {ENOMEM, ACCEPT_ERROR_PAUSE, ACCEPT_ERROR_LOST},
    {ENOTSOCK, ACCEPT_ERROR_PAUSE, ACCEPT_ERROR_LOST},
    {EOPNOTSUPP, ACCEPT_ERROR_NEXT, ACCEPT_ERROR_NEXT},
    {EPERM, ACCEPT_ERROR_PAUSE, ACCEPT_ERROR_LOST},
    {EPROTO, ACCEPT_ERROR_NEXT, ACCEPT_ERROR_NEXT},
    {ENETDOWN, ACCEPT_ERROR_NEXT, ACCEPT_ERROR_NEXT},
    {ENOPROTOOPT, ACCEPT_ERROR_NEXT, ACCEPT_ERROR_NEXT},
    {EHOSTDOWN, ACCEPT_ERROR_NEXT, ACCEPT_ERROR_NEXT},
    {ENONET, ACCEPT_ERROR_NEXT, ACCEPT_ERROR_NEXT},
    {EHOSTUNREACH, ACCEPT_ERROR_NEXT, ACCEPT_ERROR_NEXT},
    {ENETUNREACH, ACCEPT_ERROR_NEXT, ACCEPT_ERROR_NEXT},
    {ENOSR, ACCEPT_ERROR_PAUSE, ACCEPT_ERROR_LOST},
    {ESOCKTNOSUPPORT, ACCEPT_ERROR_PAUSE, ACCEPT_ERROR_LOST},
    {EPROTONOSUPPORT, ACCEPT_ERROR_PAUSE, ACCEPT_ERROR_LOST},
    {ETIMEDOUT, ACCEPT_ERROR_PAUSE, ACCEPT_ERROR_LOST},
    {EACCES, ACCEPT_ERROR_PAUSE, ACCEPT_ERROR_LOST},
    {EIO, ACCEPT_ERROR_PAUSE, ACCEPT_ERROR_LOST},
};

START_TEST(test_every_error_has_its_answer)
{
    _cleanup_fd_ int listening = new_socket(true), closed = new_socket(false);

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        ck_assert_msg(accept_error_classify(listening, cases[i].error) == cases[i].listening,
                      "error %d of a listening socket", cases[i].error);
        ck_assert_msg(accept_error_classify(closed, cases[i].error) == cases[i].closed,
                      "error %d of another", cases[i].error);
    }
}
END_TEST

START_TEST(test_a_listener_that_was_shut_down_is_lost)
{
    _cleanup_fd_ int fd = new_socket(true);

    ck_assert_int_eq(accept4(fd, NULL, NULL, SOCK_CLOEXEC), -1);
    ck_assert_int_eq(accept_error_classify(fd, errno), ACCEPT_ERROR_EMPTY);
    ck_assert_int_eq(shutdown(fd, SHUT_RDWR), 0);
    ck_assert_int_eq(accept4(fd, NULL, NULL, SOCK_CLOEXEC), -1);
    ck_assert_int_eq(accept_error_classify(fd, errno), ACCEPT_ERROR_LOST);
}
END_TEST

SUITE("accept_error", NULL, NULL, test_every_error_has_its_answer,
      test_a_listener_that_was_shut_down_is_lost)
