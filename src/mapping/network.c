/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "mapping/network.h"

#include "mapping/character.h"

#include <arpa/inet.h>
#include <string.h>

bool network_read_ipv4(const char *text, size_t length, uint8_t ret[16])
{
    uint8_t bytes[16] = {0};
    size_t at = 0;

    for (size_t i = 0; i < 4; i++) {
        unsigned value = 0;
        size_t start = at;

        if (i > 0 && (at == length || text[at] != '.'))
            return false;
        start = at += i > 0;
        while (at < length && at - start < 3 && character_is_digit(text[at]))
            value = value * 10 + (unsigned)(text[at++] - '0');
        if (at == start || value > 255 || (text[start] == '0' && at - start > 1))
            return false;
        bytes[i] = (uint8_t)value;
    }
    if (at != length)
        return false;
    memcpy(ret, bytes, sizeof(bytes));
    return true;
}

bool network_read_ipv6(const char *text, size_t length, uint8_t ret[16])
{
    char copy[INET6_ADDRSTRLEN];

    if (length >= sizeof(copy) || memchr(text, '\0', length))
        return false;
    memcpy(copy, text, length);
    copy[length] = '\0';
    return inet_pton(AF_INET6, copy, ret) == 1;
}

bool network_is_canonical_ipv6(const char *text, size_t length, const uint8_t address[16])
{
    char canonical[INET6_ADDRSTRLEN];

    inet_ntop(AF_INET6, address, canonical, sizeof(canonical));
    if (strlen(canonical) != length)
        return false;
    for (size_t i = 0; i < length; i++)
        if (character_lower(text[i]) != canonical[i])
            return false;
    return true;
}

static bool may_belong(char c, bool is_ipv6)
{
    if (character_is_digit(c) || c == '.')
        return true;
    return is_ipv6 && (c == ':' || (character_lower(c) >= 'a' && character_lower(c) <= 'f'));
}

size_t network_span(const char *text, size_t length, bool is_ipv6)
{
    size_t n = 0;

    while (n < length && may_belong(text[n], is_ipv6))
        n++;
    return n;
}

/* The significant bits of byte `i`. */
static uint8_t byte_mask(const struct network *network, size_t i)
{
    if (network->n_bits >= 8 * (i + 1))
        return 0xff;
    if (network->n_bits <= 8 * i)
        return 0;
    return (uint8_t)(0xff << (8 * (i + 1) - network->n_bits));
}

bool network_mask(struct network *network)
{
    bool was_set = false;

    for (size_t i = 0; i < sizeof(network->bytes); i++) {
        uint8_t mask = byte_mask(network, i);

        was_set |= (network->bytes[i] & ~mask) != 0;
        network->bytes[i] &= mask;
    }
    return was_set;
}

bool network_contains(const struct network *network, const uint8_t address[16])
{
    size_t n = network->n_bits / 8U;

    if (memcmp(network->bytes, address, n) != 0)
        return false;
    return n == sizeof(network->bytes) || network->bytes[n] == (address[n] & byte_mask(network, n));
}
