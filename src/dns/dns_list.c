/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dns/dns_list.h"

#include "base/macro.h"
#include "base/str.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <string.h>

#define REJECTION "access_control: host found on DNS list and rejected\r\n"

struct prefix {
    uint8_t bytes[2];
    uint8_t n_bits; /* at most 16 */
};

static const struct prefix ipv4_without_lists[] = {
    {{0, 0}, 8},      {{10, 0}, 8},    {{100, 64}, 10},  {{127, 0}, 8},
    {{169, 254}, 16}, {{172, 16}, 12}, {{192, 168}, 16},
};

/* Unique local, link-local, and the old site-local addresses. */
static const struct prefix ipv6_without_lists[] = {
    {{0xfc, 0}, 7},
    {{0xfe, 0x80}, 10},
    {{0xfe, 0xc0}, 10},
};

static bool is_in(const uint8_t *bytes, const struct prefix *prefixes, size_t n_prefixes)
{
    unsigned value = (unsigned)bytes[0] << 8 | bytes[1];

    for (size_t i = 0; i < n_prefixes; i++) {
        unsigned start = (unsigned)prefixes[i].bytes[0] << 8 | prefixes[i].bytes[1];
        if ((value ^ start) >> (16 - prefixes[i].n_bits) == 0)
            return true;
    }
    return false;
}

/* The four bytes of an IPv4 address, also of a mapped one; NULL for others. */
static const uint8_t *ipv4_of(const struct address *address)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

    if (address->family == AF_INET)
        return address->bytes;
    if (address->family == AF_INET6 && memcmp(address->bytes, mapped, sizeof(mapped)) == 0)
        return address->bytes + sizeof(mapped);
    return NULL;
}

enum dns_answer dns_list_meaning(struct in_addr address)
{
    uint32_t value = ntohl(address.s_addr);

    if (value >> 24 != 127 || value == INADDR_LOOPBACK)
        return DNS_ANSWER_NOT_A_LIST;
    /* Meanings begin at 127.0.0.2 (dispatcher.cnf(5), DNS_VERIFY_DOMAIN); 127.0.0.0 has none, and
     * neither has 127.0.0.1. */
    if (value < INADDR_LOOPBACK)
        return DNS_ANSWER_NOT_A_LIST;
    if (value >> 8 == 0x7fffff)
        return DNS_ANSWER_REFUSED_CODE;
    return DNS_ANSWER_LISTED;
}

bool dns_list_never_asks(const struct address *client)
{
    static const uint8_t loopback[16] = {[15] = 1};
    const uint8_t *ipv4 = ipv4_of(client);

    if (ipv4)
        return is_in(ipv4, ipv4_without_lists, ELEMENTSOF(ipv4_without_lists));
    if (client->family != AF_INET6)
        return true;
    return is_in(client->bytes, ipv6_without_lists, ELEMENTSOF(ipv6_without_lists)) ||
           memcmp(client->bytes, loopback, sizeof(loopback)) == 0 || address_is_wildcard(client);
}

/* Whether it is a letter, digit, '-' or '_'. */
static bool is_label_byte(unsigned char byte)
{
    return byte < 0x80 && (isalnum(byte) || byte == '-' || byte == '_');
}

int dns_list_read_zone(const char *text, char ret[DNS_ZONE_MAX + 1])
{
    size_t length = strlen(text);
    size_t n_in_label = 0;
    struct address address;

    if (length > 0 && text[length - 1] == '.')
        length--;
    if (length == 0 || length > DNS_ZONE_MAX)
        return -EINVAL;
    for (size_t i = 0; i < length; i++) {
        n_in_label = text[i] == '.' ? 0 : n_in_label + 1;
        if (text[i] == '.' ? i == 0 || text[i - 1] == '.' : !is_label_byte((unsigned char)text[i]))
            return -EINVAL;
        if (n_in_label > 63)
            return -EINVAL;
        ret[i] = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] - 'A' + 'a' : text[i]);
    }
    if (ret[length - 1] == '.')
        return -EINVAL;
    ret[length] = '\0';
    return address_parse(ret, &address) == 0 ? -EINVAL : 0;
}

int dns_list_query_name(const struct address *client, const char *zone, char ret[DNS_NAME_MAX + 1])
{
    struct str_buffer name = str_buffer_init(ret, DNS_NAME_MAX + 1);
    const uint8_t *ipv4 = ipv4_of(client);

    if (!ipv4 && client->family != AF_INET6)
        return -EINVAL;
    if (ipv4)
        str_buffer_add(&name, "%u.%u.%u.%u.", ipv4[3], ipv4[2], ipv4[1], ipv4[0]);
    else
        for (size_t i = sizeof(client->bytes); i-- > 0;)
            str_buffer_add(&name, "%x.%x.", client->bytes[i] & 0xfU, client->bytes[i] >> 4U);
    str_buffer_add(&name, "%s", zone);
    return name.is_cut ? -EINVAL : 0;
}

const char *dns_list_rejection(uint16_t port)
{
    switch (port) {
    case 25:
        return "500 5.7.1 " REJECTION;
    case 110:
        return "-ERR " REJECTION;
    case 143:
        return "* BYE " REJECTION;
    default:
        return "";
    }
}

size_t dns_list_clean_text(const void *bytes, size_t size, char ret[DNS_TEXT_MAX + 1])
{
    const char *text = bytes;
    size_t length = 0;

    for (; size > 0 && (*text == ' ' || *text == '\t'); size--)
        text++;
    for (; length < size && length < DNS_TEXT_MAX; length++)
        ret[length] = str_printable(text[length]);
    while (length > 0 && ret[length - 1] == ' ')
        length--;
    ret[length] = '\0';
    return length;
}
