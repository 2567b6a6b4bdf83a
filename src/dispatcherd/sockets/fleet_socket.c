/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/sockets/fleet_socket.h"

#include "base/address.h"
#include "base/fd.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#define UNIX_PREFIX "unix:"

static int read_path(const char *path, struct sockaddr_storage *ret, socklen_t *ret_length)
{
    struct sockaddr_un *address = (struct sockaddr_un *)ret;

    if (strlen(path) >= sizeof(address->sun_path))
        return -ENAMETOOLONG;
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    strcpy(address->sun_path, path);
    *ret_length = sizeof(*address);
    return 0;
}

static int read_address(const char *text, struct sockaddr_storage *ret, socklen_t *ret_length)
{
    char copy[ADDRESS_TEXT_MAX];
    const char *colon = strrchr(text, ':');
    struct address address;

    if (!colon || (size_t)(colon - text) >= sizeof(copy))
        return -EINVAL;
    memcpy(copy, text, (size_t)(colon - text));
    copy[colon - text] = '\0';
    unsigned long port = strtoul(colon + 1, NULL, 10);
    if (address_parse(copy, &address) < 0 || port == 0 || port > UINT16_MAX)
        return -EINVAL;
    address.port = (uint16_t)port;
    *ret_length = address_to_sockaddr(&address, ret);
    return *ret_length > 0 ? 0 : -EINVAL;
}

int fleet_socket_connect(const char *store, int *ret)
{
    struct sockaddr_storage address = {0};
    socklen_t length = 0;
    int r, on = 1;

    if (strncmp(store, UNIX_PREFIX, strlen(UNIX_PREFIX)) == 0)
        r = read_path(store + strlen(UNIX_PREFIX), &address, &length);
    else
        r = read_address(store, &address, &length);
    if (r < 0)
        return r;
    _cleanup_fd_ int fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (address.ss_family != AF_UNIX)
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (connect(fd, (struct sockaddr *)&address, length) < 0 && errno != EINPROGRESS)
        return -errno;
    *ret = take_fd(&fd);
    return 0;
}

int fleet_socket_error(int fd)
{
    int error = 0;
    socklen_t length = sizeof(error);

    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0 ? errno : error;
}
