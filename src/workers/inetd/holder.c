/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "workers/inetd/holder.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

int holder_start(int socket, int null_fd)
{
    /* EPOLLHUP and EPOLLERR are always reported. */
    struct epoll_event event = {.events = EPOLLET};
    _cleanup_fd_ int fd = epoll_create1(EPOLL_CLOEXEC);

    if (fd < 0 || epoll_ctl(fd, EPOLL_CTL_ADD, socket, &event) < 0 ||
        dup3(null_fd, socket, O_CLOEXEC) < 0)
        return -errno;
    return take_fd(&fd);
}

bool holder_has_connection(int fd)
{
    char path[64], text[512];

    snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
    _cleanup_fd_ int info = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = info >= 0 ? read(info, text, sizeof(text) - 1) : -1;
    if (n < 0)
        return true; /* not known */
    text[n] = '\0';
    return strstr(text, "tfd:") != NULL;
}
