/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "web/listen.h"

#include "base/fd.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>

/* Clients for which there is no room wait here. */
#define BACKLOG 1024

int listen_take_passed(struct listen *listen)
{
    int n = sd_listen_fds(1);

    if (n > LISTEN_MAX)
        return -E2BIG;
    for (int fd = SD_LISTEN_FDS_START; fd < SD_LISTEN_FDS_START + n; fd++) {
        if (sd_is_socket(fd, AF_UNSPEC, SOCK_STREAM, 1) <= 0)
            return -EINVAL;
        int r = fd_set_nonblocking(fd, true);
        if (r < 0)
            return r;
        listen->fds[listen->n++] = fd;
    }
    return n;
}

int listen_parse(const char *text, struct address *ret)
{
    const char *colon = strrchr(text, ':');
    char host[ADDRESS_TEXT_MAX];
    char *end;

    if (!colon || colon == text || (size_t)(colon - text) >= sizeof(host))
        return -EINVAL;
    snprintf(host, sizeof(host), "%.*s", (int)(colon - text), text);
    /* "::1" has no port, although it looks like it. */
    if (strchr(host, ':') && host[0] != '[')
        return -EINVAL;
    if (address_parse(host, ret) < 0 || colon[1] < '0' || colon[1] > '9')
        return -EINVAL;
    unsigned long port = strtoul(colon + 1, &end, 10);
    if (*end || port > UINT16_MAX)
        return -EINVAL;
    ret->port = (uint16_t)port;
    return 0;
}

int listen_at(struct listen *listen_, const struct address *address)
{
    struct sockaddr_storage sa;
    const int on = 1;

    if (listen_->n == LISTEN_MAX)
        return -E2BIG;
    socklen_t length = address_to_sockaddr(address, &sa);
    _cleanup_fd_ int fd = socket(sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
        (sa.ss_family == AF_INET6 &&
         setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0) ||
        bind(fd, (struct sockaddr *)&sa, length) < 0 || listen(fd, BACKLOG) < 0)
        return -errno;
    listen_->fds[listen_->n++] = take_fd(&fd);
    return 0;
}

void listen_close(struct listen *listen)
{
    while (listen->n > 0)
        fd_close(listen->fds[--listen->n]);
}
