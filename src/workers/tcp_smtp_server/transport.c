/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "workers/tcp_smtp_server/transport.h"

#include "base/time.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>

static int poll_until(struct pollfd entries[], nfds_t n_entries, uint64_t deadline_usec,
                      uint64_t now)
{
    /* Rounded up, so that the last wait does not become a busy loop. */
    uint64_t msec = (deadline_usec - now + USEC_PER_MSEC - 1) / USEC_PER_MSEC;
    int n = poll(entries, n_entries, msec > INT_MAX ? INT_MAX : (int)msec);

    return n < 0 ? -errno : n;
}

/* Waits until the socket is ready for `events`, or `stop_fd` (-1: none) is readable. If stress
 * begins while somebody waits, the wait goes on until the earlier deadline; if it is over by then,
 * until the usual one. */
static int wait_until_ready(const struct transport_socket *socket, short events, int stop_fd,
                            struct deadline deadline)
{
    struct pollfd entries[] = {
        {.fd = socket->fd, .events = events},
        {.fd = stop_fd, .events = POLLIN},
        {.fd = socket->stress_fd, .events = POLLIN},
    };

    for (;;) {
        uint64_t now = time_now_usec(CLOCK_MONOTONIC);
        bool is_stressed = entries[2].fd < 0 && socket->stress_fd >= 0;

        if (deadline_is_past(deadline, now, socket->stress_fd))
            return -ETIMEDOUT;
        if (is_stressed && now >= deadline.stressed) {
            entries[2].fd = socket->stress_fd;
            is_stressed = false;
        }
        int n = poll_until(entries, 3, is_stressed ? deadline.stressed : deadline.usual, now);
        if (n < 0 && n != -EINTR)
            return n;
        if (n <= 0)
            continue;
        if (entries[1].revents)
            return -ECANCELED;
        if (entries[0].revents)
            return 0;
        /* It stays readable: whoever looked at it again would not wait at all. */
        entries[2].fd = -1;
    }
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
            int r = wait_until_ready(socket, POLLIN, -1, deadline);

            if (r < 0)
                return r;
        } else if (errno != EINTR) {
            return -errno;
        }
    }
}

static int socket_wait(void *userdata, int stop_fd, struct deadline deadline)
{
    return wait_until_ready(userdata, POLLIN, stop_fd, deadline);
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
            int r = wait_until_ready(socket, POLLOUT, -1, deadline);

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
