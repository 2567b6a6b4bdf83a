/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "base/notify_socket.h"

#include "base/fd.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

bool notify_socket_is_set(void)
{
    const char *path = getenv("NOTIFY_SOCKET");

    return path && *path;
}

static int manager_address(struct sockaddr_un *ret, socklen_t *ret_length)
{
    const char *path = getenv("NOTIFY_SOCKET");
    size_t length = strlen(path);

    if ((path[0] != '/' && path[0] != '@') || length >= sizeof(ret->sun_path))
        return -EINVAL;
    *ret = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(ret->sun_path, path, length);
    if (path[0] == '@')
        ret->sun_path[0] = '\0';
    *ret_length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    return 0;
}

int notify_socket_send(const char *state, int fd)
{
    struct sockaddr_un address;
    socklen_t address_length;
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct iovec text = {.iov_base = (char *)state, .iov_len = strlen(state)};

    if (!notify_socket_is_set())
        return 0;
    int r = manager_address(&address, &address_length);
    if (r < 0)
        return r;
    struct msghdr message = {
        .msg_name = &address, .msg_namelen = address_length, .msg_iov = &text, .msg_iovlen = 1};
    if (fd >= 0) {
        message.msg_control = &control;
        message.msg_controllen = sizeof(control);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(header), &fd, sizeof(int));
    }
    _cleanup_fd_ int sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (sock < 0)
        return -errno;
    if (sendmsg(sock, &message, MSG_NOSIGNAL) < 0)
        return -errno;
    return 0;
}
