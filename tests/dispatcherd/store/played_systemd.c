/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/store/played_systemd.h"

#include "base/fd.h"
#include "base/notify_socket.h"
#include "support/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

static int notify_fd = -1;

void played_systemd_start(void)
{
    static const struct sockaddr_un nowhere = {.sun_family = AF_UNIX};
    struct sockaddr_un address = {0};
    socklen_t length = sizeof(address);
    char path[sizeof(address.sun_path) + 1];

    notify_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    ck_assert_int_ge(notify_fd, 0);
    /* The kernel chooses an abstract name that nobody has (unix(7), autobind). */
    ck_assert_int_eq(bind(notify_fd, (const struct sockaddr *)&nowhere, sizeof(sa_family_t)), 0);
    ck_assert_int_eq(getsockname(notify_fd, (struct sockaddr *)&address, &length), 0);
    snprintf(path, sizeof(path), "@%.*s", (int)(length - sizeof(sa_family_t) - 1),
             address.sun_path + 1);
    ck_assert_int_eq(setenv("NOTIFY_SOCKET", path, true), 0);
}

bool played_systemd_hears(char text[PLAYED_TEXT_MAX], int *ret_fd)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec part = {.iov_base = text, .iov_len = PLAYED_TEXT_MAX - 1};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof(control)};

    *ret_fd = -1;
    ssize_t length = recvmsg(notify_fd, &message, MSG_CMSG_CLOEXEC);
    if (length < 0)
        return false;
    text[length] = '\0';
    const struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header && header->cmsg_type == SCM_RIGHTS)
        memcpy(ret_fd, CMSG_DATA(header), sizeof(int));
    return true;
}

unsigned played_systemd_fill(void)
{
    unsigned n = 0;

    while (notify_socket_send("X=1", -1) == 0)
        n++;
    return n;
}

void played_systemd_end(void)
{
    notify_fd = fd_close(notify_fd);
    unsetenv("NOTIFY_SOCKET");
}
