/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "workers/proxy/header.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static const char signature[12] = "\r\n\r\n\0\r\nQUIT\n";

enum {
    VERSION_AND_LOCAL = 0x20,
    VERSION_AND_PROXY = 0x21,
    UNSPEC = 0x00,
    TCP_OVER_IPV4 = 0x11,
    TCP_OVER_IPV6 = 0x21,
    TYPE_AUTHORITY = 0x02,
    TYPE_UNIQUE_ID = 0x05,
    TYPE_SSL = 0x20,
    SUBTYPE_SSL_VERSION = 0x21,
    SUBTYPE_SSL_CN = 0x22,
    SUBTYPE_SSL_CIPHER = 0x23,
    CLIENT_SSL = 0x01,
    CLIENT_CERT_CONN = 0x02,
    CLIENT_CERT_SESS = 0x04,
    ID_MAX = 32,
};

static size_t append(char *header, size_t length, const void *bytes, size_t n)
{
    memcpy(header + length, bytes, n);
    return length + n;
}

static size_t append_ipv4(char *header, size_t at, const struct sockaddr_in *peer,
                          const struct sockaddr_in *local)
{
    at = append(header, at, &peer->sin_addr, sizeof(peer->sin_addr));
    at = append(header, at, &local->sin_addr, sizeof(local->sin_addr));
    at = append(header, at, &peer->sin_port, sizeof(peer->sin_port));
    return append(header, at, &local->sin_port, sizeof(local->sin_port));
}

static size_t append_ipv6(char *header, size_t at, const struct sockaddr_in6 *peer,
                          const struct sockaddr_in6 *local)
{
    at = append(header, at, &peer->sin6_addr, sizeof(peer->sin6_addr));
    at = append(header, at, &local->sin6_addr, sizeof(local->sin6_addr));
    at = append(header, at, &peer->sin6_port, sizeof(peer->sin6_port));
    return append(header, at, &local->sin6_port, sizeof(local->sin6_port));
}

static void put_length(char *to, size_t length)
{
    uint16_t bytes = htons((uint16_t)length);

    memcpy(to, &bytes, sizeof(bytes));
}

/* Type, length and value. */
static size_t append_value(char *header, size_t at, char type, const char *value, size_t length)
{
    header[at] = type;
    put_length(header + at + 1, length);
    return append(header, at + 3, value, length);
}

static size_t append_text(char *header, size_t at, char type, const char *text)
{
    return *text ? append_value(header, at, type, text, strlen(text)) : at;
}

/* Flags, whether the client's certificate could be verified (0: yes), and the rest as values within
 * this one. Nothing is resumed here, so a certificate is always that of this connection. */
static size_t append_tls(char *header, size_t at, const struct tls_facts *tls)
{
    bool has_certificate = tls->digest[0];
    bool is_verified = has_certificate && tls->is_verified;
    const char client = CLIENT_SSL | (has_certificate ? CLIENT_CERT_CONN | CLIENT_CERT_SESS : 0);
    const char head[] = {client, 0, 0, 0, is_verified ? 0 : 1};

    at = append_text(header, at, TYPE_AUTHORITY, tls->server_name);
    size_t start = at;
    at = append_value(header, at, TYPE_SSL, head, sizeof(head));
    at = append_text(header, at, SUBTYPE_SSL_VERSION, tls->protocol);
    at = append_text(header, at, SUBTYPE_SSL_CIPHER, tls->cipher);
    at = append_text(header, at, SUBTYPE_SSL_CN, tls->common_name);
    put_length(header + start + 1, at - start - 3);
    return at;
}

static void set_length(char *header, size_t length)
{
    put_length(header + 14, length - 16);
}

static size_t start_v2(char *header, char command, char family)
{
    memcpy(header, signature, sizeof(signature));
    header[12] = command;
    header[13] = family;
    return 16;
}

static sa_family_t family_of(const struct sockaddr *peer, const struct sockaddr *local)
{
    if (peer->sa_family != local->sa_family)
        return AF_UNSPEC;
    return peer->sa_family == AF_INET || peer->sa_family == AF_INET6 ? peer->sa_family : AF_UNSPEC;
}

static size_t write_v2(char *header, const struct sockaddr *peer, const struct sockaddr *local,
                       const char *id, const struct tls_facts *tls)
{
    sa_family_t family = family_of(peer, local);
    size_t at = start_v2(header, VERSION_AND_PROXY,
                         family == AF_INET    ? TCP_OVER_IPV4
                         : family == AF_INET6 ? TCP_OVER_IPV6
                                              : UNSPEC);

    if (family == AF_INET)
        at = append_ipv4(header, at, (const struct sockaddr_in *)(const void *)peer,
                         (const struct sockaddr_in *)(const void *)local);
    else if (family == AF_INET6)
        at = append_ipv6(header, at, (const struct sockaddr_in6 *)(const void *)peer,
                         (const struct sockaddr_in6 *)(const void *)local);
    if (family != AF_UNSPEC)
        at = append_value(header, at, TYPE_UNIQUE_ID, id, strnlen(id, ID_MAX));
    if (family != AF_UNSPEC && tls)
        at = append_tls(header, at, tls);
    set_length(header, at);
    return at;
}

static const char *host_text(const struct sockaddr *address, char text[INET6_ADDRSTRLEN])
{
    const void *bytes =
        address->sa_family == AF_INET
            ? (const void *)&((const struct sockaddr_in *)(const void *)address)->sin_addr
            : &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;

    return inet_ntop(address->sa_family, bytes, text, INET6_ADDRSTRLEN);
}

/* The port stands at the same place in both families. */
static unsigned port_of(const struct sockaddr *address)
{
    return ntohs(((const struct sockaddr_in *)(const void *)address)->sin_port);
}

static size_t write_v1(char *header, const struct sockaddr *peer, const struct sockaddr *local)
{
    char peer_text[INET6_ADDRSTRLEN], local_text[INET6_ADDRSTRLEN];
    sa_family_t family = family_of(peer, local);

    if (family == AF_UNSPEC)
        return (size_t)snprintf(header, HEADER_MAX_BYTES, "PROXY UNKNOWN\r\n");
    return (size_t)snprintf(header, HEADER_MAX_BYTES, "PROXY TCP%d %s %s %u %u\r\n",
                            family == AF_INET ? 4 : 6, host_text(peer, peer_text),
                            host_text(local, local_text), port_of(peer), port_of(local));
}

size_t header_write(char header[HEADER_MAX_BYTES], enum header_version version,
                    const struct sockaddr *peer, const struct sockaddr *local, const char *id,
                    const struct tls_facts *tls)
{
    if (version == HEADER_V2)
        return write_v2(header, peer, local, id, tls);
    return version == HEADER_V1 ? write_v1(header, peer, local) : 0;
}

size_t header_write_local(char header[HEADER_MAX_BYTES], enum header_version version)
{
    const struct sockaddr nobody = {.sa_family = AF_UNSPEC};

    if (version == HEADER_V1)
        return write_v1(header, &nobody, &nobody);
    if (version == HEADER_NONE)
        return 0;
    size_t length = start_v2(header, VERSION_AND_LOCAL, UNSPEC);
    set_length(header, length);
    return length;
}
