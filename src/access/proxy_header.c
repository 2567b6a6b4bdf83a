/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "access/proxy_header.h"

#include "base/str.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* The longest line of version 1, with its CRLF. */
#define V1_MAX_BYTES 107

/* Version 2: signature, version and command, family and protocol, length of the rest. */
#define V2_HEAD_BYTES 16

static const char v1_signature[] = {'P', 'R', 'O', 'X', 'Y', ' '};
static const char v2_signature[] = {'\r', '\n', '\r', '\n', '\0', '\r',
                                    '\n', 'Q',  'U',  'I',  'T',  '\n'};

static enum proxy_header_result invalid(const char *fault, const char **ret_fault)
{
    *ret_fault = fault;
    return PROXY_HEADER_INVALID;
}

/* Compares as many bytes as both have. */
static bool may_start_with(const char *bytes, size_t size, const char *signature, size_t length)
{
    return memcmp(bytes, signature, size < length ? size : length) == 0;
}

/* Turns ::ffff:192.0.2.1 into the IPv4 address that everything above expects. */
static struct address address_of_ipv6(const uint8_t bytes[16], uint16_t port)
{
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};

    memcpy(&in6.sin6_addr, bytes, 16);
    return address_from_sockaddr((const struct sockaddr *)&in6, sizeof(in6));
}

static struct address address_of_ipv4(const uint8_t bytes[4], uint16_t port)
{
    struct address address = {.family = AF_INET, .port = port};

    memcpy(address.bytes, bytes, 4);
    return address;
}

static bool parse_v1_address(const char *text, int family, struct address *ret)
{
    uint8_t bytes[16];

    if (inet_pton(family, text, bytes) != 1)
        return false;
    *ret = family == AF_INET ? address_of_ipv4(bytes, 0) : address_of_ipv6(bytes, 0);
    return true;
}

/* 0 to 65535 in decimal, without leading zeros. */
static bool parse_v1_port(const char *text, uint16_t *ret)
{
    size_t length = strlen(text);

    if (length == 0 || length > 5 || strspn(text, "0123456789") != length ||
        (text[0] == '0' && length > 1))
        return false;
    unsigned long port = strtoul(text, NULL, 10);
    if (port > UINT16_MAX)
        return false;
    *ret = (uint16_t)port;
    return true;
}

/* Reads "TCP4 192.0.2.1 192.0.2.2 1000 25", and cuts it into pieces. */
static const char *parse_v1_line(char *line, struct proxy_header *header)
{
    const char *protocol = strsep(&line, " ");
    const char *peer = strsep(&line, " "), *local = strsep(&line, " ");
    const char *peer_port = strsep(&line, " "), *local_port = strsep(&line, " ");

    /* The rest of such a line is to be ignored. */
    if (strcmp(protocol, "UNKNOWN") == 0)
        return NULL;
    if (strcmp(protocol, "TCP4") != 0 && strcmp(protocol, "TCP6") != 0)
        return "its protocol is neither TCP4 nor TCP6 nor UNKNOWN";
    if (!local_port || line)
        return "it does not have two addresses and two ports, separated by single spaces";
    int family = protocol[3] == '4' ? AF_INET : AF_INET6;
    if (!parse_v1_address(peer, family, &header->peer) ||
        !parse_v1_address(local, family, &header->local))
        return "an address is invalid, or does not belong to its protocol";
    if (!parse_v1_port(peer_port, &header->peer.port) ||
        !parse_v1_port(local_port, &header->local.port))
        return "a port is not a number from 0 to 65535";
    header->has_addresses = true;
    return NULL;
}

static enum proxy_header_result parse_v1(const char *bytes, size_t size, struct proxy_header *ret,
                                         const char **ret_fault)
{
    size_t n_seen = size < V1_MAX_BYTES ? size : V1_MAX_BYTES;
    const char *newline = memchr(bytes, '\n', n_seen);
    struct proxy_header header = {0};
    char line[V1_MAX_BYTES];

    if (!newline && n_seen < V1_MAX_BYTES)
        return PROXY_HEADER_MORE;
    if (!newline)
        return invalid("its line is longer than 107 bytes", ret_fault);
    if (newline[-1] != '\r')
        return invalid("its line does not end with CRLF", ret_fault);
    header.length = (size_t)(newline + 1 - bytes);
    size_t length = header.length - sizeof(v1_signature) - 2;
    memcpy(line, bytes + sizeof(v1_signature), length);
    line[length] = '\0';
    if (strlen(line) != length)
        return invalid("its line contains a NUL byte", ret_fault);
    const char *fault = parse_v1_line(line, &header);
    if (fault)
        return invalid(fault, ret_fault);
    *ret = header;
    return PROXY_HEADER_COMPLETE;
}

static uint16_t big_endian(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

/* Families and protocols of version 2, and how many bytes both addresses and ports take. */
static const struct v2_family {
    uint8_t number;
    uint8_t family;
    uint8_t n_bytes;
} v2_families[] = {
    {0x00, AF_UNSPEC, 0},
    {0x11, AF_INET, 12},
    {0x21, AF_INET6, 36},
    {0x31, AF_UNIX, 216},
};

static const struct v2_family *find_v2_family(uint8_t number)
{
    for (size_t i = 0; i < ELEMENTSOF(v2_families); i++)
        if (v2_families[i].number == number)
            return &v2_families[i];
    return NULL;
}

static void read_v2_addresses(int family, const uint8_t *bytes, struct proxy_header *header)
{
    header->has_addresses = family != AF_UNSPEC;
    if (family == AF_INET) {
        header->peer = address_of_ipv4(bytes, big_endian(bytes + 8));
        header->local = address_of_ipv4(bytes + 4, big_endian(bytes + 10));
    } else if (family == AF_INET6) {
        header->peer = address_of_ipv6(bytes, big_endian(bytes + 32));
        header->local = address_of_ipv6(bytes + 16, big_endian(bytes + 34));
    } else if (family == AF_UNIX) {
        header->peer.family = header->local.family = AF_UNIX;
    }
}

static enum proxy_header_result parse_v2(const uint8_t *bytes, size_t size,
                                         struct proxy_header *ret, const char **ret_fault)
{
    if (size > 12 && bytes[12] >> 4 != 2)
        return invalid("its version is neither 1 nor 2", ret_fault);
    if (size > 12 && (bytes[12] & 0xf) > 1)
        return invalid("its command is neither LOCAL nor PROXY", ret_fault);
    bool is_local = size > 12 && (bytes[12] & 0xf) == 0;
    const struct v2_family *family = size > 13 ? find_v2_family(bytes[13]) : NULL;
    if (size > 13 && !is_local && !family)
        return invalid("it is for neither TCP nor a Unix stream socket", ret_fault);
    if (size < V2_HEAD_BYTES)
        return PROXY_HEADER_MORE;
    size_t length = big_endian(bytes + 14);
    if (!is_local && length < family->n_bytes)
        return invalid("it is too short for its addresses", ret_fault);
    if (V2_HEAD_BYTES + length > PROXY_HEADER_MAX_BYTES)
        return invalid("it is longer than 2048 bytes", ret_fault);
    if (size < V2_HEAD_BYTES + length)
        return PROXY_HEADER_MORE;
    *ret = (struct proxy_header){.length = V2_HEAD_BYTES + length};
    if (!is_local)
        read_v2_addresses(family->family, bytes + V2_HEAD_BYTES, ret);
    return PROXY_HEADER_COMPLETE;
}

enum proxy_header_result proxy_header_parse(const void *bytes, size_t size,
                                            struct proxy_header *ret, const char **ret_fault)
{
    if (size == 0)
        return PROXY_HEADER_MORE;
    if (may_start_with(bytes, size, v1_signature, sizeof(v1_signature)))
        return size < sizeof(v1_signature) ? PROXY_HEADER_MORE
                                           : parse_v1(bytes, size, ret, ret_fault);
    if (may_start_with(bytes, size, v2_signature, sizeof(v2_signature)))
        return parse_v2(bytes, size, ret, ret_fault);
    return invalid("the connection does not begin with one", ret_fault);
}
