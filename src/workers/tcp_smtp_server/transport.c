/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "workers/tcp_smtp_server/transport.h"

#include "base/time.h"
#include "workers/common/wait.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

/* `stop_fd` is -1 if there is none. */
static int socket_wait_for(const struct transport_socket *socket, short events, int stop_fd,
                           struct deadline deadline)
{
    const struct wait_for wait = {
        .fd = socket->fd,
        .events = events,
        .stop_fd = stop_fd,
        .stress_fd = socket->stress_fd,
    };

    return wait_until_ready(&wait, deadline);
}

static ssize_t socket_receive(void *userdata, void *buffer, size_t size, struct deadline deadline)
{
    const struct transport_socket *socket = userdata;

    if (deadline_is_past(deadline, time_now_usec(CLOCK_MONOTONIC), socket->stress_fd))
        return -ETIMEDOUT;
    for (;;) {
        ssize_t n = recv(socket->fd, buffer, size, MSG_DONTWAIT);

        if (n >= 0)
            return n;
        if (errno == EAGAIN) {
            int r = socket_wait_for(socket, POLLIN, -1, deadline);

            if (r < 0)
                return r;
        } else if (errno != EINTR) {
            return -errno;
        }
    }
}

static int socket_wait(void *userdata, int stop_fd, struct deadline deadline)
{
    return socket_wait_for(userdata, POLLIN, stop_fd, deadline);
}

static int socket_send(void *userdata, const void *bytes, size_t n_bytes, uint64_t deadline_usec)
{
    const struct transport_socket *socket = userdata;
    const struct deadline deadline = {.usual = deadline_usec, .stressed = deadline_usec};
    const char *next = bytes;

    while (n_bytes > 0) {
        ssize_t n = send(socket->fd, next, n_bytes, MSG_DONTWAIT | MSG_NOSIGNAL);

        if (n >= 0) {
            next += n;
            n_bytes -= (size_t)n;
        } else if (errno == EAGAIN) {
            int r = socket_wait_for(socket, POLLOUT, -1, deadline);

            if (r < 0)
                return r;
        } else if (errno != EINTR) {
            return -errno;
        }
    }
    return 0;
}

static bool socket_has_input(void *userdata)
{
    const struct transport_socket *socket = userdata;
    char byte;

    /* The end of file is no input: a client that is gone has broken no rule. */
    return recv(socket->fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) > 0;
}

static void socket_end_output(void *userdata)
{
    const struct transport_socket *socket = userdata;

    (void)shutdown(socket->fd, SHUT_WR);
}

struct transport transport_over_socket(struct transport_socket *socket)
{
    return (struct transport){
        .receive = socket_receive,
        .wait = socket_wait,
        .send = socket_send,
        .has_input = socket_has_input,
        .end_output = socket_end_output,
        .userdata = socket,
    };
}
