/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "base/syn_filter.h"

#include "base/macro.h"

#include <errno.h>
#include <linux/filter.h>
#include <stdint.h>
#include <sys/socket.h>

/* In the TCP header, with which a packet begins for a filter of a TCP socket (RFC 9293). */
#define FLAGS_OFFSET 13
#define FLAG_SYN     0x02

int syn_filter_attach(int fd)
{
    static struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, FLAGS_OFFSET),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, FLAG_SYN, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0),
        BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
    };
    const struct sock_fprog filter = {.len = ELEMENTSOF(program), .filter = program};

    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)) < 0 ? -errno : 0;
}

int syn_filter_detach(int fd)
{
    const int ignored = 0;

    if (setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &ignored, sizeof(ignored)) < 0 &&
        errno != ENOENT)
        return -errno;
    return 0;
}
