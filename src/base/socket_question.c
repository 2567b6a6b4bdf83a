/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "base/socket_question.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdalign.h>
#include <string.h>
#include <sys/socket.h>

/* The kernel's answer to one question: a header, a struct inet_diag_msg, and attributes that are
 * always there (measured on Linux 6.1: 96 bytes in all). */
#define ANSWER_BYTES_MAX 1024

struct question {
    struct nlmsghdr header;
    struct inet_diag_req_v2 request;
};

static int read_address(int (*get)(int, struct sockaddr *, socklen_t *), int fd,
                        struct address *ret, uint16_t *ret_family)
{
    struct sockaddr_storage storage;
    socklen_t length = sizeof(storage);

    if (get(fd, (struct sockaddr *)&storage, &length) < 0)
        return -errno;
    *ret_family = storage.ss_family;
    *ret = address_from_sockaddr((struct sockaddr *)&storage, length);
    return ret->family == AF_INET || ret->family == AF_INET6 ? 0 : -EAFNOSUPPORT;
}

static int get_peer(int fd, struct sockaddr *address, socklen_t *length)
{
    return getpeername(fd, address, length);
}

static int get_local(int fd, struct sockaddr *address, socklen_t *length)
{
    return getsockname(fd, address, length);
}

int socket_key_read(int fd, struct socket_key *ret)
{
    socklen_t length = sizeof(ret->cookie);

    *ret = (struct socket_key){0};
    int r = read_address(get_local, fd, &ret->local, &ret->diag_family);
    if (r == 0)
        r = read_address(get_peer, fd, &ret->peer, &ret->diag_family);
    if (r < 0)
        return r;
    return getsockopt(fd, SOL_SOCKET, SO_COOKIE, &ret->cookie, &length) < 0 ? -errno : 0;
}

int socket_question_open(void)
{
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG);

    return fd < 0 ? -errno : fd;
}

/* Writes the address as a socket of that family has it: an IPv4 address is mapped into IPv6 (RFC
 * 4291) for AF_INET6. */
static void write_address(uint16_t family, const struct address *address, __be32 to[4])
{
    if (family == AF_INET6 && address->family == AF_INET) {
        to[2] = htonl(0xffff);
        memcpy(&to[3], address->bytes, sizeof(to[3]));
    } else {
        memcpy(to, address->bytes, sizeof(address->bytes));
    }
}

static struct question make_question(const struct socket_key *key)
{
    struct question question = {
        .header = {.nlmsg_len = sizeof(question),
                   .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                   .nlmsg_flags = NLM_F_REQUEST},
        .request = {.sdiag_family = (uint8_t)key->diag_family,
                    .sdiag_protocol = IPPROTO_TCP,
                    .idiag_states = UINT32_MAX},
    };
    struct inet_diag_sockid *id = &question.request.id;

    id->idiag_sport = htons(key->local.port);
    id->idiag_dport = htons(key->peer.port);
    id->idiag_if = key->peer.scope_id;
    id->idiag_cookie[0] = (uint32_t)key->cookie;
    id->idiag_cookie[1] = (uint32_t)(key->cookie >> 32);
    write_address(key->diag_family, &key->local, id->idiag_src);
    write_address(key->diag_family, &key->peer, id->idiag_dst);
    return question;
}

/* ENOENT: not found; ESTALE: another socket has these addresses, or it listens. */
static int read_answer(const void *bytes, size_t length)
{
    const struct nlmsghdr *header = bytes;

    if (length < sizeof(*header) || header->nlmsg_len > length)
        return -EBADMSG;
    if (header->nlmsg_type == NLMSG_ERROR && length >= NLMSG_LENGTH(sizeof(struct nlmsgerr))) {
        int error = ((const struct nlmsgerr *)NLMSG_DATA(header))->error;

        return error == -ENOENT || error == -ESTALE ? 0 : error < 0 ? error : -EBADMSG;
    }
    if (header->nlmsg_type != SOCK_DIAG_BY_FAMILY ||
        length < NLMSG_LENGTH(sizeof(struct inet_diag_msg)))
        return -EBADMSG;
    return ((const struct inet_diag_msg *)NLMSG_DATA(header))->idiag_inode != 0;
}

/* The kernel answers within the call of send(). */
int socket_is_open(int question_fd, const struct socket_key *key)
{
    const struct question question = make_question(key);
    alignas(8) uint8_t answer[ANSWER_BYTES_MAX];

    if (send(question_fd, &question, sizeof(question), 0) < 0)
        return -errno;
    ssize_t length = recv(question_fd, answer, sizeof(answer), 0);
    return length < 0 ? -errno : read_answer(answer, (size_t)length);
}
