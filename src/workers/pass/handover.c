/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "workers/pass/handover.h"

#include "base/fd.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

int handover_connect(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    _cleanup_fd_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return -errno;
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
        return -errno;
    return take_fd(&fd);
}

static bool is_numeric(const char *host)
{
    return host[0] && strspn(host, "0123456789abcdefABCDEF.:") == strlen(host);
}

static size_t add(char *bytes, size_t at, const char *name, const char *value)
{
    int n = snprintf(bytes + at, HANDOVER_BYTES_MAX - at, "%s%c%s", name, '\0', value);

    return at + (size_t)n + 1;
}

/* Of an interface's own address (with %) nobody could tell the interface: without attributes the
 * program asks the socket itself. */
size_t handover_write(enum pass_format format, const struct handover_client *client,
                      char bytes[HANDOVER_BYTES_MAX])
{
    char peer_port[12], local_port[12];
    size_t length = 1;

    bytes[0] = '\0';
    if (format == PASS_FORMAT_BYTE)
        return length;
    snprintf(peer_port, sizeof(peer_port), "%u", client->peer_port);
    snprintf(local_port, sizeof(local_port), "%u", client->local_port);
    if (is_numeric(client->peer_host) && is_numeric(client->local_host)) {
        length = add(bytes, length, "client_address", client->peer_host);
        length = add(bytes, length, "client_port", peer_port);
        length = add(bytes, length, "server_address", client->local_host);
        length = add(bytes, length, "server_port", local_port);
    }
    bytes[length++] = '\0';
    return length;
}

int handover_send(int target, int client_fd, const char *bytes, size_t length)
{
    struct iovec data = {.iov_base = (char *)bytes, .iov_len = length};
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct msghdr message = {.msg_iov = &data,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof(control.bytes)};

    control.header = (struct cmsghdr){
        .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    memcpy(CMSG_DATA(&control.header), &client_fd, sizeof(int));
    ssize_t n = sendmsg(target, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    return n < 0 ? -errno : 0;
}

/* A socket that is closed with bytes unread, or before it was accepted, is reset (unix(7)). What
 * the program may write is of no interest. */
enum handover_answer handover_look(int target)
{
    char byte;
    ssize_t n = recv(target, &byte, 1, MSG_DONTWAIT);

    if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
        return HANDOVER_OPEN;
    return n == 0 ? HANDOVER_TAKEN : HANDOVER_RETURNED;
}
