/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "web/connector.h"

#include "base/fd.h"
#include "base/time.h"
#include "control_client/client.h"
#include "protocol/channel.h"
#include "protocol/message.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* The message in both directions. The number is that of the request: an answer may come after its
 * time limit. */
struct parcel {
    uint32_t number;
    int32_t error; /* in an answer: a negative errno, or 0 with a descriptor */
    uint64_t limit_usec;
};

static bool wait_for(int fd, uint64_t deadline)
{
    struct pollfd pollfd = {.fd = fd, .events = POLLIN};
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);
    int msec = deadline == USEC_INFINITY ? -1
               : now < deadline          ? (int)((deadline - now) / USEC_PER_MSEC) + 1
                                         : 0;

    return poll(&pollfd, 1, msec) > 0;
}

/* Returns 0 with at most one descriptor, or a negative errno. */
static int receive(int fd, struct parcel *ret, int *ret_fd)
{
    int fds[MESSAGE_FDS_MAX];
    size_t n_fds;
    pid_t pid;

    *ret_fd = -1;
    ssize_t length = channel_receive(fd, ret, sizeof(*ret), fds, &n_fds, &pid);
    if (length < 0)
        return (int)length;
    for (size_t i = 1; i < n_fds; i++)
        fd_close(fds[i]);
    if (n_fds > 0)
        *ret_fd = fds[0];
    if (length == sizeof(*ret))
        return 0;
    *ret_fd = fd_close(*ret_fd);
    return length == 0 ? -ECONNRESET : -EBADMSG;
}

static _Noreturn void serve(int fd, const char *path)
{
    struct parcel parcel;
    int stranger;

    (void)prctl(PR_SET_NAME, "connector");
    (void)close_range(0, (unsigned)fd - 1, 0);
    (void)close_range((unsigned)fd + 1, ~0U, 0);
    while (wait_for(fd, USEC_INFINITY)) {
        int r = receive(fd, &parcel, &stranger);

        fd_close(stranger);
        if (r == -ECONNRESET)
            break;
        if (r < 0)
            continue;
        _cleanup_fd_ int control = client_connect(path, parcel.limit_usec);
        parcel.error = control < 0 ? control : 0;
        (void)channel_send(fd, &parcel, sizeof(parcel), &control, control >= 0 ? 1 : 0);
    }
    _exit(EXIT_SUCCESS);
}

int connector_start(struct connector *connector, const char *path)
{
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return -errno;
    _cleanup_fd_ int ours = pair[0], theirs = pair[1];
    pid_t pid = fork();
    if (pid < 0)
        return -errno;
    if (pid == 0)
        serve(theirs, path);
    connector->fd = take_fd(&ours);
    return 0;
}

int connector_open(struct connector *connector, uint64_t limit_usec)
{
    static uint32_t last_number;
    const struct parcel question = {.number = ++last_number, .limit_usec = limit_usec};
    uint64_t deadline = time_add_usec(time_now_usec(CLOCK_MONOTONIC), limit_usec);
    struct parcel answer;
    int fd;

    int r = channel_send(connector->fd, &question, sizeof(question), NULL, 0);
    while (r == 0 && wait_for(connector->fd, deadline)) {
        r = receive(connector->fd, &answer, &fd);
        if (r < 0)
            break;
        if (answer.number == question.number)
            return answer.error < 0 ? answer.error : fd;
        fd_close(fd);
    }
    return r < 0 ? r : -ETIMEDOUT;
}

void connector_end(struct connector *connector)
{
    connector->fd = fd_close(connector->fd);
}
