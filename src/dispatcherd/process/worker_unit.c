/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/process/worker_unit.h"

#include "base/fd.h"
#include "base/str.h"
#include "files/text.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

/* The socket of dispatcherd-kill.socket. No service has a name with a dot. */
#define KILL_SOCKET "/run/dispatcherd-worker/.kill"

void worker_unit_find(pid_t pid, const char *service, char unit[WORKER_UNIT_MAX])
{
    char path[40], name[64];

    unit[0] = '\0';
    snprintf(path, sizeof(path), "/proc/%d/cgroup", (int)pid);
    _cleanup_str_ char *text = text_read_file(path, 4096);
    if (!text)
        return;
    /* cgroups(7): one line for each hierarchy. A unit with Delegate= may have groups below its own.
     */
    snprintf(name, sizeof(name), "/dispatcherd-%.40s-worker@", service);
    const char *start = strstr(text, name);
    size_t length = start ? strcspn(start + 1, "/\n") : 0;
    if (length > 0 && length < WORKER_UNIT_MAX) {
        memcpy(unit, start + 1, length);
        unit[length] = '\0';
    }
}

static int ask_kernel(int netlink, ino_t inode)
{
    const struct {
        struct nlmsghdr header;
        struct unix_diag_req request;
    } question = {
        .header = {.nlmsg_len = sizeof(question),
                   .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                   .nlmsg_flags = NLM_F_REQUEST},
        .request = {.sdiag_family = AF_UNIX,
                    .udiag_states = UINT32_MAX,
                    .udiag_ino = (uint32_t)inode,
                    .udiag_show = UDIAG_SHOW_PEER,
                    .udiag_cookie = {UINT32_MAX, UINT32_MAX}},
    };

    return send(netlink, &question, sizeof(question), 0) < 0 ? -errno : 0;
}

/* The inode of the other end is 0 when no process has that open. */
static bool has_peer(const struct nlmsghdr *header, size_t length)
{
    if (!NLMSG_OK(header, length) || header->nlmsg_type != SOCK_DIAG_BY_FAMILY)
        return false;
    const struct unix_diag_msg *answer = NLMSG_DATA(header);
    const struct rtattr *attribute = (const void *)(answer + 1);
    size_t left = header->nlmsg_len - NLMSG_LENGTH(sizeof(*answer));

    for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left)) {
        uint32_t inode;

        if (attribute->rta_type != UNIX_DIAG_PEER)
            continue;
        memcpy(&inode, RTA_DATA(attribute), sizeof(inode));
        return inode != 0;
    }
    return false;
}

bool worker_unit_is_alive(int channel)
{
    alignas(struct nlmsghdr) char bytes[1024];
    struct stat status;

    if (fstat(channel, &status) < 0)
        return false;
    _cleanup_fd_ int netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (netlink < 0 || ask_kernel(netlink, status.st_ino) < 0)
        return false;
    /* The kernel has answered when send() returns. */
    ssize_t n = recv(netlink, bytes, sizeof(bytes), MSG_DONTWAIT);
    return n > 0 && has_peer((const struct nlmsghdr *)bytes, (size_t)n);
}

int worker_unit_kill(const char *unit)
{
    const struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = KILL_SOCKET};
    char line[WORKER_UNIT_MAX + 1];

    if (!unit[0])
        return -ESRCH;
    _cleanup_fd_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
        return -errno;
    int length = snprintf(line, sizeof(line), "%s\n", unit);
    return send(fd, line, (size_t)length, MSG_NOSIGNAL) < 0 ? -errno : 0;
}
