/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "base/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

struct address address_from_sockaddr(const struct sockaddr *sa, socklen_t length)
{
    struct address address = {.family = AF_UNSPEC};

    if (length < sizeof(sa->sa_family))
        return address;
    if (sa->sa_family == AF_INET && length >= sizeof(struct sockaddr_in)) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)sa;

        address.family = AF_INET;
        address.port = ntohs(in->sin_port);
        memcpy(address.bytes, &in->sin_addr, 4);
    } else if (sa->sa_family == AF_INET6 && length >= sizeof(struct sockaddr_in6)) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)sa;

        address.port = ntohs(in6->sin6_port);
        if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr)) {
            address.family = AF_INET;
            memcpy(address.bytes, in6->sin6_addr.s6_addr + 12, 4);
        } else {
            address.family = AF_INET6;
            address.scope_id = in6->sin6_scope_id;
            memcpy(address.bytes, &in6->sin6_addr, 16);
        }
    } else if (sa->sa_family == AF_UNIX) {
        address.family = AF_UNIX;
    }
    return address;
}

socklen_t address_to_sockaddr(const struct address *address, struct sockaddr_storage *ret)
{
    memset(ret, 0, sizeof(*ret));
    if (address->family == AF_INET) {
        struct sockaddr_in *in = (struct sockaddr_in *)ret;

        in->sin_family = AF_INET;
        in->sin_port = htons(address->port);
        memcpy(&in->sin_addr, address->bytes, 4);
        return sizeof(*in);
    }
    if (address->family == AF_INET6) {
        struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret;

        in6->sin6_family = AF_INET6;
        in6->sin6_port = htons(address->port);
        in6->sin6_scope_id = address->scope_id;
        memcpy(&in6->sin6_addr, address->bytes, 16);
        return sizeof(*in6);
    }
    return 0;
}

int address_parse(const char *text, struct address *ret)
{
    char inner[INET6_ADDRSTRLEN];
    struct address address = {0};
    size_t length = strlen(text);
    bool is_bracketed = length >= 2 && text[0] == '[' && text[length - 1] == ']';

    if (is_bracketed) {
        text++;
        length -= 2;
    }
    if (length >= sizeof(inner))
        return -EINVAL;
    memcpy(inner, text, length);
    inner[length] = '\0';
    if (!is_bracketed && inet_pton(AF_INET, inner, address.bytes) == 1)
        address.family = AF_INET;
    else if (inet_pton(AF_INET6, inner, address.bytes) == 1)
        address.family = AF_INET6;
    else
        return -EINVAL;
    *ret = address;
    return 0;
}

const char *address_format_host(const struct address *address, char text[ADDRESS_TEXT_MAX])
{
    if (address->family == AF_UNIX)
        strcpy(text, "unix");
    else if (address->family != AF_INET && address->family != AF_INET6)
        strcpy(text, "unknown");
    else
        inet_ntop(address->family, address->bytes, text, ADDRESS_TEXT_MAX);
    return text;
}

const char *address_format(const struct address *address, char text[ADDRESS_TEXT_MAX])
{
    char host[ADDRESS_TEXT_MAX];

    address_format_host(address, host);
    if (address->family == AF_INET)
        snprintf(text, ADDRESS_TEXT_MAX, "%.64s:%u", host, address->port);
    else if (address->family == AF_INET6)
        snprintf(text, ADDRESS_TEXT_MAX, "[%.64s]:%u", host, address->port);
    else
        strcpy(text, host);
    return text;
}

bool address_equal(const struct address *a, const struct address *b)
{
    return a->family == b->family && a->port == b->port && a->scope_id == b->scope_id &&
           memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

bool address_is_wildcard(const struct address *address)
{
    static const uint8_t zero[16];

    return (address->family == AF_INET || address->family == AF_INET6) &&
           memcmp(address->bytes, zero, sizeof(zero)) == 0;
}
