/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "workers/proxy/connect.h"

#include "base/fd.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

void connect_set_nodelay(int fd)
{
    const int on = 1;

    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

int connect_begin(const struct backend *backend, bool *ret_is_connected)
{
    int family = backend->address.ss_family;
    _cleanup_fd_ int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -errno;
    if (family != AF_UNIX)
        connect_set_nodelay(fd);
    *ret_is_connected =
        connect(fd, (const struct sockaddr *)&backend->address, backend->length) == 0;
    if (!*ret_is_connected && errno != EINPROGRESS)
        return -errno;
    return take_fd(&fd);
}

int connect_result(int fd)
{
    int error = 0;
    socklen_t length = sizeof(error);

    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0)
        return -errno;
    return -error;
}

/* By connect(2) with AF_UNSPEC: a process that may not set SO_LINGER can do that. */
void connect_reset(int fd)
{
    const struct sockaddr nobody = {.sa_family = AF_UNSPEC};

    (void)connect(fd, &nobody, sizeof(nobody));
}

const char *connect_advice(const struct backend *backend, int error)
{
    bool is_unix = backend->address.ss_family == AF_UNIX;

    switch (error) {
    case EPERM:
        return is_unix ? "SystemCallFilter=connect"
                       : "SystemCallFilter=connect, or IPAddressAllow= for its address";
    case EAFNOSUPPORT:
        return "RestrictAddressFamilies=";
    case ENETUNREACH:
    case EADDRNOTAVAIL:
        return "PrivateNetwork=no";
    case ENOENT:
        return is_unix ? "BindReadOnlyPaths= for its folder" : NULL;
    case EACCES:
        return is_unix ? "SupplementaryGroups=, or the mode of the socket" : NULL;
    default:
        return NULL;
    }
}
