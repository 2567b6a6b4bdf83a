/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/suite.h"

#include "dispatcherd/sockets/fleet_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static int listen_at(int backlog, char store[64])
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, length), 0);
    if (backlog > 0)
        ck_assert_int_eq(listen(fd, backlog), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    snprintf(store, 64, "127.0.0.1:%u", ntohs(address.sin_port));
    return fd;
}

static int outcome_of(const char *store)
{
    int fd = -1, r = fleet_socket_connect(store, &fd);

    /* On the loopback interface the answer may be there at once. */
    if (r < 0)
        return -r;
    ck_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    ck_assert(fcntl(fd, F_GETFL) & O_NONBLOCK);
    struct pollfd item = {.fd = fd, .events = POLLOUT};
    ck_assert_int_eq(poll(&item, 1, 10000), 1);
    int error = fleet_socket_error(fd);
    close(fd);
    return error;
}

START_TEST(test_connects)
{
    char store[64];
    int fd = listen_at(5, store);

    ck_assert_int_eq(outcome_of(store), 0);
    close(fd);
}
END_TEST

START_TEST(test_says_that_nobody_listens)
{
    char store[64];
    int fd = listen_at(0, store);

    ck_assert_int_eq(outcome_of(store), ECONNREFUSED);
    close(fd);
}
END_TEST

START_TEST(test_takes_nothing_that_is_no_address)
{
    int fd = -1;

    ck_assert_int_eq(fleet_socket_connect("unix:/nonexistent/store", &fd), -ENOENT);
    ck_assert_int_lt(fleet_socket_connect("store.example:6379", &fd), 0);
    ck_assert_int_lt(fleet_socket_connect("", &fd), 0);
    ck_assert_int_eq(fd, -1);
}
END_TEST

SUITE("fleet_socket", NULL, NULL, test_connects, test_says_that_nobody_listens,
      test_takes_nothing_that_is_no_address)
