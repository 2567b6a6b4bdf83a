/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/store/closer_process.h"

#include "base/fd.h"

#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* How long the second packet of a pair may take; it is sent right after the first. */
#define PAIR_LIMIT_MSEC 800

/* How long a child may take; and how many may take longer, for instance because a descriptor is a
 * file on a file system that hangs. */
#define CHILD_LIMIT_MSEC 1000
#define SLOW_MAX         16

/* Returns false if the packet has no descriptors. Those that were received stay open. */
static bool receive(int fd)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(CLOSER_BATCH_MAX * sizeof(int))];
    } control;
    char byte;
    struct iovec part = {.iov_base = &byte, .iov_len = sizeof(byte)};
    struct msghdr packet = {.msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = &control,
                            .msg_controllen = sizeof(control)};

    return recvmsg(fd, &packet, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) > 0 && packet.msg_controllen > 0;
}

static bool wait_for(int fd, int limit_msec)
{
    struct pollfd pollfd = {.fd = fd, .events = POLLIN};

    return poll(&pollfd, 1, limit_msec) > 0;
}

/* The exit closes what was received. A second packet that is too late comes to another child, which
 * finds no descriptors in it. */
static _Noreturn void take_pair(int fd)
{
    if (receive(fd)) {
        if (wait_for(fd, PAIR_LIMIT_MSEC))
            (void)receive(fd);
        (void)send(fd, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    _exit(EXIT_SUCCESS);
}

/* Returns false if the child still runs. */
static bool wait_for_child(pid_t pid, int limit_msec)
{
    _cleanup_fd_ int pidfd = pidfd_open(pid, 0);

    return pidfd < 0 || wait_for(pidfd, limit_msec);
}

static bool has_ended(int fd)
{
    char byte;

    return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

_Noreturn void closer_process_run(int fd)
{
    unsigned n_slow = 0;

    (void)prctl(PR_SET_NAME, "closer");
    if (fd > 0)
        (void)close_range(0, (unsigned)fd - 1, 0);
    (void)close_range((unsigned)fd + 1, ~0U, 0);
    if (send(fd, "", 1, MSG_NOSIGNAL) < 0)
        _exit(EXIT_FAILURE);
    while (wait_for(fd, -1) && !has_ended(fd)) {
        pid_t pid = fork();

        if (pid == 0)
            take_pair(fd);
        if (pid < 0)
            _exit(EXIT_FAILURE);
        n_slow += !wait_for_child(pid, n_slow < SLOW_MAX ? CHILD_LIMIT_MSEC : -1);
        while (waitpid(-1, NULL, WNOHANG) > 0)
            ;
    }
    _exit(EXIT_SUCCESS);
}
