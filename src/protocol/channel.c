#include "protocol/channel.h"

#include "base/fd.h"
#include "protocol/message.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

union control {
    struct cmsghdr header; /* for its alignment */
    char bytes[CMSG_SPACE(MESSAGE_FDS_MAX * sizeof(int)) + CMSG_SPACE(sizeof(struct ucred))];
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
        memset(control.bytes, 0, packet.msg_controllen); /* with the padding */
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

/* Returns false where there were more descriptors than a message may have. (The buffer has room for
 * a few more than that, when no credentials come with them.) */
static bool take_control(struct msghdr *packet, int fds[], size_t *ret_n_fds, pid_t *ret_pid)
{
    bool is_good = true;

    for (struct cmsghdr *c = CMSG_FIRSTHDR(packet); c; c = CMSG_NXTHDR(packet, c)) {
        if (c->cmsg_level != SOL_SOCKET)
            continue;
        if (c->cmsg_type == SCM_CREDENTIALS) {
            struct ucred credentials;

            memcpy(&credentials, CMSG_DATA(c), sizeof(credentials));
            *ret_pid = credentials.pid;
        } else if (c->cmsg_type == SCM_RIGHTS) {
            size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

            for (size_t i = 0; i < n; i++) {
                int fd;

                memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
                if (*ret_n_fds < MESSAGE_FDS_MAX)
                    fds[(*ret_n_fds)++] = fd;
                else {
                    fd_close(fd);
                    is_good = false;
                }
            }
        }
    }
    return is_good;
}

ssize_t channel_receive(int channel, void *bytes, size_t size, int fds[], size_t *ret_n_fds,
                        pid_t *ret_pid)
{
    union control control;
    struct iovec part = {.iov_base = bytes, .iov_len = size};
    struct msghdr packet = {.msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = control.bytes,
                            .msg_controllen = sizeof(control.bytes)};
    ssize_t length;
    size_t n_fds = 0;
    pid_t pid = 0;

    /* ECONNRESET says, once, that the other end closed with unread packets; what it had sent
     * before is still to be read. */
    do
        length = recvmsg(channel, &packet, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    while (length < 0 && (errno == EINTR || errno == ECONNRESET));
    if (length < 0)
        return -errno;
    bool is_good = take_control(&packet, fds, &n_fds, &pid) && !(packet.msg_flags & MSG_TRUNC);
    /* Descriptors are cut where there are too many for the buffer, or for this process. */
    if ((packet.msg_flags & MSG_CTRUNC) && n_fds == MESSAGE_FDS_MAX)
        is_good = false;
    /* An empty packet and the end look alike to recvmsg(); the sender's credentials tell. */
    if (!is_good || (length == 0 && (n_fds > 0 || pid > 0))) {
        for (size_t i = 0; i < n_fds; i++)
            fd_close(fds[i]);
        return -EBADMSG;
    }
    *ret_n_fds = n_fds;
    *ret_pid = pid;
    return length;
}
