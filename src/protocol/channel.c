/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "protocol/channel.h"

#include "base/fd.h"
#include "protocol/message.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

union control {
    struct cmsghdr header; /* for its alignment */
    char bytes[CMSG_SPACE(CHANNEL_FDS_MAX * sizeof(int)) + CMSG_SPACE(sizeof(struct ucred))];
};

int channel_send(int channel, const void *bytes, size_t length, const int fds[], size_t n_fds)
{
    union control control;
    struct iovec part = {.iov_base = (void *)bytes, .iov_len = length};
    struct msghdr packet = {.msg_iov = &part, .msg_iovlen = 1};

    if (n_fds > MESSAGE_FDS_MAX)
        return -EINVAL;
    if (n_fds > 0) {
        packet.msg_control = control.bytes;
        packet.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
        memset(control.bytes, 0, packet.msg_controllen); /* including the padding */
        struct cmsghdr *header = CMSG_FIRSTHDR(&packet);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
        memcpy(CMSG_DATA(header), fds, n_fds * sizeof(int));
    }
    ssize_t n;
    do
        n = sendmsg(channel, &packet, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    if (n >= 0)
        return 0;
    if (errno == ENOBUFS || errno == ENOMEM)
        return -EAGAIN;
    return errno == ECONNRESET ? -EPIPE : -errno;
}

static void take_control(struct msghdr *packet, int fds[], size_t *ret_n_fds, pid_t *ret_pid)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(packet); c; c = CMSG_NXTHDR(packet, c)) {
        if (c->cmsg_level != SOL_SOCKET)
            continue;
        if (c->cmsg_type == SCM_CREDENTIALS) {
            struct ucred credentials;

            memcpy(&credentials, CMSG_DATA(c), sizeof(credentials));
            *ret_pid = credentials.pid;
        } else if (c->cmsg_type == SCM_RIGHTS) {
            size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

            if (n > CHANNEL_FDS_MAX - *ret_n_fds)
                n = CHANNEL_FDS_MAX - *ret_n_fds; /* cannot happen: the kernel has the same limit */
            memcpy(fds + *ret_n_fds, CMSG_DATA(c), n * sizeof(int));
            *ret_n_fds += n;
        }
    }
}

ssize_t channel_receive_any(int channel, void *bytes, size_t size, int fds[], size_t *ret_n_fds,
                            pid_t *ret_pid)
{
    union control control;
    struct iovec part = {.iov_base = bytes, .iov_len = size};
    struct msghdr packet = {.msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = control.bytes,
                            .msg_controllen = sizeof(control.bytes)};
    ssize_t length;

    *ret_n_fds = 0;
    *ret_pid = 0;
    /* ECONNRESET reports once that the other end closed with unread packets; what it had sent
     * before can still be read. */
    do
        length = recvmsg(channel, &packet, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    while (length < 0 && (errno == EINTR || errno == ECONNRESET));
    if (length < 0)
        return -errno;
    take_control(&packet, fds, ret_n_fds, ret_pid);
    /* recvmsg() returns the same for an empty packet and for the end; the sender's credentials make
     * the difference. */
    if ((packet.msg_flags & MSG_TRUNC) || (length == 0 && (*ret_n_fds > 0 || *ret_pid > 0)))
        return -EBADMSG;
    return length;
}

ssize_t channel_receive(int channel, void *bytes, size_t size, int fds[], size_t *ret_n_fds,
                        pid_t *ret_pid)
{
    int all[CHANNEL_FDS_MAX];
    size_t n;
    ssize_t length = channel_receive_any(channel, bytes, size, all, &n, ret_pid);

    if (n > MESSAGE_FDS_MAX)
        length = -EBADMSG;
    if (length >= 0) {
        memcpy(fds, all, n * sizeof(int));
        *ret_n_fds = n;
        return length;
    }
    for (size_t i = 0; i < n; i++)
        fd_close(all[i]);
    return length;
}
