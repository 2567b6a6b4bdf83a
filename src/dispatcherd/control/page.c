/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/control/page.h"

#include "base/fd.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-login.h>

#define PAGE_UNIT "dispatcherd-web.service"

/* Linux 6.5; socket(7). */
#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

/* A handle of the process that connected: its number could be reused by another process. Kernels
 * before 6.5 have none (-ENOPROTOOPT). There the number would have to be reused, by dispatcherd-web
 * itself, between connect() and accept(); all that could be gained by that is a place. */
static int open_peer(int fd)
{
    int pidfd;
    socklen_t length = sizeof(pidfd);

    return getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &length) == 0 ? pidfd : -errno;
}

static bool has_ended(int pidfd)
{
    struct pollfd poll_fd = {.fd = pidfd, .events = POLLIN};

    return poll(&poll_fd, 1, 0) != 0;
}

bool control_page_is_peer(int fd)
{
    char *unit = NULL;

    _cleanup_fd_ int pidfd = open_peer(fd);
    if (pidfd < 0 && pidfd != -ENOPROTOOPT)
        return false;
    if (sd_peer_get_unit(fd, &unit) < 0)
        return false;
    bool is_page = strcmp(unit, PAGE_UNIT) == 0;
    free(unit);
    return is_page && (pidfd < 0 || !has_ended(pidfd));
}
