/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherctl/bridge.h"

#include "base/fd.h"
#include "base/time.h"
#include "control_client/client.h"
#include "dispatcherctl/views/explain.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUFFER_BYTES 65536

static int write_all(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t n = write(fd, bytes, size);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN ? -ETIMEDOUT : -errno;
        bytes += n;
        size -= (size_t)n;
    }
    return 0;
}

/* Moves what there is. Returns 1; 0 at the end of the input; or a negative errno. */
static int move(int from, int to)
{
    char bytes[BUFFER_BYTES];
    ssize_t n = read(from, bytes, sizeof(bytes));

    if (n < 0)
        return errno == EINTR || errno == EAGAIN ? 1 : -errno;
    if (n == 0)
        return 0;
    int r = write_all(to, bytes, (size_t)n);
    return r < 0 ? r : 1;
}

/* After the end of standard input, what the daemon still answers is awaited, for `limit_msec`. */
static int join(int fd, int limit_msec)
{
    struct pollfd items[] = {{.fd = fd, .events = POLLIN}, {.fd = STDIN_FILENO, .events = POLLIN}};

    for (;;) {
        int n = poll(items, 2, items[1].fd < 0 ? limit_msec : -1);
        if (n == 0)
            return -ETIMEDOUT;
        if (n < 0 && errno != EINTR)
            return -errno;
        if (n < 0)
            continue;
        int r = items[0].revents ? move(fd, STDOUT_FILENO) : 1;
        if (r <= 0)
            return r;
        r = items[1].revents ? move(STDIN_FILENO, fd) : 1;
        if (r < 0)
            return r;
        if (r == 0) {
            items[1].fd = -1;
            (void)shutdown(fd, SHUT_WR);
        }
    }
}

int bridge_run(const struct request *request)
{
    int fd = client_connect(request->socket, request->limit_usec);
    int r = fd;

    /* A caller that has gone is an error of write(2). */
    (void)signal(SIGPIPE, SIG_IGN);
    if (fd >= 0)
        r = join(fd, (int)(request->limit_usec / USEC_PER_MSEC));
    fd_close(fd);
    if (r < 0)
        explain_failure(request->socket, r);
    return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
