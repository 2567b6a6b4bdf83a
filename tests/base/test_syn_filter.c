/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/suite.h"

#include "base/fd.h"
#include "base/syn_filter.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A packet over the loopback takes some microseconds; the first repetition of a SYN comes after a
 * second. */
#define SHORT_MSEC 300
#define LONG_MSEC  20000

static int listener = -1;
static struct sockaddr_in address;

static void setup(void)
{
    socklen_t length = sizeof(address);

    address =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
    ck_assert_int_eq(listen(listener, 5), 0);
    ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&address, &length), 0);
}

static void teardown(void)
{
    listener = fd_close(listener);
}

static int begin_connect(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int r = connect(fd, (struct sockaddr *)&address, sizeof(address));

    ck_assert(r == 0 || errno == EINPROGRESS);
    return fd;
}

static bool is_connected(int fd, int limit_msec)
{
    struct pollfd item = {.fd = fd, .events = POLLOUT};

    return poll(&item, 1, limit_msec) == 1 && item.revents == POLLOUT;
}

START_TEST(test_new_clients_wait_and_those_in_the_queue_stay)
{
    _cleanup_fd_ int early = begin_connect();
    char byte = 0;

    ck_assert(is_connected(early, LONG_MSEC));
    int r = syn_filter_attach(listener);
    /* Some kernels allow that to root alone. */
    if (r == -EPERM && geteuid() != 0)
        return;
    ck_assert_int_eq(r, 0);
    _cleanup_fd_ int late = begin_connect();
    ck_assert(!is_connected(late, SHORT_MSEC));
    /* The one in the queue is as it was. */
    ck_assert_int_eq(write(early, "x", 1), 1);
    _cleanup_fd_ int served = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    ck_assert_int_eq(read(served, &byte, 1), 1);
    ck_assert_int_eq(syn_filter_detach(listener), 0);
    ck_assert(is_connected(late, LONG_MSEC));
}
END_TEST

START_TEST(test_detaching_what_is_not_there_is_no_error)
{
    ck_assert_int_eq(syn_filter_detach(listener), 0);
}
END_TEST

SUITE("syn_filter", setup, teardown, test_new_clients_wait_and_those_in_the_queue_stay,
      test_detaching_what_is_not_there_is_no_error)
