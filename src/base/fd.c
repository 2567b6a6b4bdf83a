/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Newer than the headers of Debian 13; the number is the same on all machines but two. */
#if !defined(SO_PASSRIGHTS) && !defined(__sparc__) && !defined(__hppa__)
#define SO_PASSRIGHTS 83
#endif

int fd_close(int fd)
{
    if (fd >= 0) {
        int saved = errno;

        /* On Linux the descriptor is gone even when close() reports an error. */
        (void)close(fd);
        errno = saved;
    }
    return -1;
}

void fd_cleanup(int *fd)
{
    *fd = fd_close(*fd);
}

int fd_fill_standard(int flags)
{
    int fd;

    do
        fd = open("/dev/null", flags | O_NOCTTY);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd < 0)
        return -errno;
    fd_close(fd);
    return 0;
}

static int set_rights(int fd, int on)
{
#ifdef SO_PASSRIGHTS
    return setsockopt(fd, SOL_SOCKET, SO_PASSRIGHTS, &on, sizeof(on)) < 0 ? -errno : 0;
#else
    (void)on;
    return fd < 0 ? -EBADF : -ENOPROTOOPT;
#endif
}

int fd_refuse_rights(int fd)
{
    return set_rights(fd, 0);
}

int fd_allow_rights(int fd)
{
    return set_rights(fd, 1);
}

static int change_flag(int fd, int get, int set, int flag, bool on)
{
    int flags = fcntl(fd, get);

    if (flags < 0)
        return -errno;
    int wanted = on ? flags | flag : flags & ~flag;
    if (wanted != flags && fcntl(fd, set, wanted) < 0)
        return -errno;
    return 0;
}

int fd_set_nonblocking(int fd, bool on)
{
    return change_flag(fd, F_GETFL, F_SETFL, O_NONBLOCK, on);
}

int fd_set_cloexec(int fd, bool on)
{
    return change_flag(fd, F_GETFD, F_SETFD, FD_CLOEXEC, on);
}
