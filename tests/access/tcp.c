/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "access/tcp.h"

#include "base/fd.h"
#include "base/time.h"
#include "support/suite.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

int tcp_listen(bool is_ipv6)
{
    const struct sockaddr_in in = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    const struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(is_ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    if (bind(fd, is_ipv6 ? (const struct sockaddr *)&in6 : (const struct sockaddr *)&in,
             is_ipv6 ? sizeof(in6) : sizeof(in)) < 0)
        return fd_close(fd);
    ck_assert_int_eq(listen(fd, 128), 0);
    return fd;
}

int tcp_connect(int listener)
{
    const struct timeval limit = {.tv_sec = TCP_WAIT_SEC};
    struct sockaddr_storage sa;
    socklen_t length = sizeof(sa);

    ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&sa, &length), 0);
    int fd = socket(sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
    ck_assert_int_eq(connect(fd, (const struct sockaddr *)&sa, length), 0);
    return fd;
}

int tcp_accept(int listener)
{
    struct pollfd poll_fd = {.fd = listener, .events = POLLIN};

    ck_assert_int_eq(poll(&poll_fd, 1, TCP_WAIT_SEC * 1000), 1);
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    ck_assert_int_ge(fd, 0);
    return fd;
}

void tcp_pair(int *ret_client, int *ret_server)
{
    int listener = tcp_listen(false);

    ck_assert_int_ge(listener, 0);
    *ret_client = tcp_connect(listener);
    *ret_server = tcp_accept(listener);
    close(listener);
}

void tcp_send(int fd, const void *bytes, size_t size)
{
    ck_assert_int_eq(send(fd, bytes, size, MSG_NOSIGNAL), (ssize_t)size);
}

/* A reset after the end of file does not show in recv(), on Linux; elsewhere it would have taken
 * the text along. */
static void assert_no_reset(int fd)
{
    socklen_t length = sizeof(int);
    int error = -1;

    ck_assert_int_eq(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length), 0);
    ck_assert_msg(error == 0, "the connection was reset");
}

size_t tcp_read_to_end(int fd, char *bytes, size_t size)
{
    size_t n_read = 0;

    while (n_read < size) {
        ssize_t n = recv(fd, bytes + n_read, size - n_read, 0);

        ck_assert_msg(n >= 0, "after %zu bytes: %m", n_read);
        if (n == 0)
            break;
        n_read += (size_t)n;
    }
    assert_no_reset(fd);
    return n_read;
}

void tcp_reset(int fd)
{
    const struct linger linger = {.l_onoff = 1, .l_linger = 0};

    ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
    close(fd);
}

static bool is_set(void *userdata)
{
    return *(const bool *)userdata;
}

void loop_until_flag(sd_event *event, const bool *flag)
{
    loop_until(event, is_set, (void *)flag);
}

void loop_until(sd_event *event, bool (*is_done)(void *), void *userdata)
{
    uint64_t end = time_now_usec(CLOCK_MONOTONIC) + TCP_WAIT_SEC * USEC_PER_SEC;

    while (!is_done(userdata)) {
        ck_assert_msg(time_now_usec(CLOCK_MONOTONIC) < end, "nothing happened for too long");
        ck_assert_int_ge(sd_event_run(event, USEC_PER_SEC), 0);
    }
}

unsigned loop_while_busy(sd_event *event)
{
    unsigned n = 0;

    while (sd_event_run(event, 0) > 0)
        ck_assert_msg(++n < 1000, "the loop has no end");
    return n;
}
