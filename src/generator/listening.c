/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "generator/listening.h"

#include "base/address.h"
#include "base/fd.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

enum {
    TEXT_MAX = 256
};

/* If bind(2) succeeds, nobody listens at the address: with SO_REUSEADDR, connections that have
 * ended do not count (socket(7)). */
static bool is_held_address(const struct address *address)
{
    struct sockaddr_storage storage;
    socklen_t length = address_to_sockaddr(address, &storage);
    const int on = 1;

    _cleanup_fd_ int fd = socket(address->family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || length == 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
        setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &on, sizeof(on)) < 0)
        return true;
    if (address->family == AF_INET6 &&
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0)
        return true;
    return bind(fd, (struct sockaddr *)&storage, length) < 0;
}

/* A connection of another type fails with another error if there is a socket: EPROTOTYPE (unix(7)).
 */
static bool is_held_path(const char *path, int other_type)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    _cleanup_fd_ int fd = socket(AF_UNIX, other_type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0 || strlen(path) >= sizeof(address.sun_path))
        return true;
    strcpy(address.sun_path, path);
    return connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 ||
           (errno != ECONNREFUSED && errno != ENOENT);
}

/* Reads "ADDRESS:PORT", which the last colon separates. */
static bool parse(char *text, struct address *ret)
{
    char *colon = strrchr(text, ':');
    char *end;

    if (!colon)
        return false;
    *colon = '\0';
    unsigned long port = strtoul(colon + 1, &end, 10);
    if (*end || port == 0 || port > UINT16_MAX || address_parse(text, ret) < 0)
        return false;
    ret->port = (uint16_t)port;
    return true;
}

bool listening_is_held(const char *listen)
{
    char text[TEXT_MAX];
    struct address address;

    if (strlen(listen) >= sizeof(text))
        return true;
    strcpy(text, listen);
    char *type = strstr(text, " (");
    if (!type)
        return true;
    *type = '\0';
    type += strlen(" (");
    bool is_stream = strcmp(type, "Stream)") == 0;
    bool is_packet = strcmp(type, "SequentialPacket)") == 0;
    if (text[0] == '/' && (is_stream || is_packet))
        return is_held_path(text, is_stream ? SOCK_SEQPACKET : SOCK_STREAM);
    return !is_stream || !parse(text, &address) || is_held_address(&address);
}
