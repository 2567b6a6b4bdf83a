/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "files/networks.h"

#include "base/str.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How much of an invalid text a message quotes. */
#define SHOWN "%.60s"

static unsigned bits_of_family(const struct address *address)
{
    return address->family == AF_INET ? 32 : 128;
}

/* Of the first `n_bits` bits, those in byte number i. */
static uint8_t mask_of_byte(unsigned n_bits, unsigned i)
{
    if (n_bits >= 8 * (i + 1))
        return 0xff;
    return n_bits <= 8 * i ? 0 : (uint8_t)(0xff00 >> (n_bits - 8 * i));
}

static void clear_host_bits(struct ip_network *network)
{
    for (unsigned i = 0; i < sizeof(network->address.bytes); i++)
        network->address.bytes[i] &= mask_of_byte(network->prefix_bits, i);
}

/* A client's address of that form is kept as IPv4 (address.h), so such a network would contain
 * nothing. */
static bool is_mapped(const struct address *address)
{
    static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};

    return address->family == AF_INET6 && memcmp(address->bytes, prefix, sizeof(prefix)) == 0;
}

static int parse_host(const char *text, struct address *ret, char reason[NETWORK_REASON_MAX])
{
    struct address address;

    if (address_parse(text, &address) < 0 || text[0] == '[') {
        snprintf(reason, NETWORK_REASON_MAX,
                 "'" SHOWN "' is not an address; a network is written as 192.0.2.0/24 or "
                 "2001:db8::/32, one address as 192.0.2.1",
                 text);
        return -EINVAL;
    }
    if (is_mapped(&address)) {
        snprintf(reason, NETWORK_REASON_MAX,
                 "'" SHOWN "' is an IPv4 address in IPv6 form; write it as %u.%u.%u.%u", text,
                 address.bytes[12], address.bytes[13], address.bytes[14], address.bytes[15]);
        return -EINVAL;
    }
    *ret = address;
    return 0;
}

/* Decimal digits without leading zeros. */
static int parse_prefix(const char *text, unsigned max, unsigned *ret,
                        char reason[NETWORK_REASON_MAX])
{
    size_t n_digits = strspn(text, "0123456789");
    unsigned long bits = max + 1;

    if (n_digits > 0 && n_digits <= 3 && !text[n_digits] && (text[0] != '0' || n_digits == 1))
        bits = strtoul(text, NULL, 10);
    if (bits > max) {
        snprintf(reason, NETWORK_REASON_MAX,
                 "'" SHOWN "' is not a prefix length; after the / there must be 0 to %u", text,
                 max);
        return -EINVAL;
    }
    *ret = (unsigned)bits;
    return 0;
}

int ip_network_parse(const char *text, struct ip_network *ret, char reason[NETWORK_REASON_MAX])
{
    char host[INET6_ADDRSTRLEN], right[NETWORK_TEXT_MAX];
    const char *slash = strchr(text, '/');
    struct ip_network network = {0};
    size_t length = slash ? (size_t)(slash - text) : strlen(text);

    if (length == 0 || length >= sizeof(host)) {
        snprintf(reason, NETWORK_REASON_MAX,
                 "'" SHOWN "' is not a network; one is written as 192.0.2.0/24 or 2001:db8::/32",
                 text);
        return -EINVAL;
    }
    memcpy(host, text, length);
    host[length] = '\0';
    int r = parse_host(host, &network.address, reason);
    if (r < 0)
        return r;
    network.prefix_bits = bits_of_family(&network.address);
    if (slash)
        r = parse_prefix(slash + 1, network.prefix_bits, &network.prefix_bits, reason);
    if (r < 0)
        return r;
    struct ip_network cleared = network;
    clear_host_bits(&cleared);
    if (!address_equal(&cleared.address, &network.address)) {
        snprintf(reason, NETWORK_REASON_MAX,
                 "'" SHOWN "' has bits set beyond its prefix; the network is %s, the address "
                 "alone " SHOWN,
                 text, ip_network_format(&cleared, right), host);
        return -EINVAL;
    }
    *ret = network;
    return 0;
}

int network_list_parse(const char *text, struct network_list *ret, char reason[NETWORK_REASON_MAX])
{
    _cleanup_str_ char *copy = strdup(text);
    struct network_list list = {.items = calloc(NETWORKS_MAX, sizeof(*list.items))};
    char *rest = copy ? str_trim(copy, STR_BLANKS) : NULL;
    int r = copy && list.items ? 0 : -ENOMEM;

    if (r == 0 && !*rest)
        rest = NULL;
    while (r == 0 && rest) {
        char *item = str_trim(strsep(&rest, ","), STR_BLANKS);

        if (!*item) {
            strcpy(reason, "a network is missing; a list is written as 192.0.2.0/24,127.0.0.1");
            r = -EINVAL;
        } else if (list.n_items == NETWORKS_MAX) {
            snprintf(reason, NETWORK_REASON_MAX, "a list may have at most %d networks",
                     NETWORKS_MAX);
            r = -EINVAL;
        } else {
            r = ip_network_parse(item, &list.items[list.n_items], reason);
            list.n_items += r == 0;
        }
    }
    if (r < 0 || list.n_items == 0)
        network_list_clear(&list);
    if (r == 0)
        *ret = list;
    return r;
}

bool ip_network_contains(const struct ip_network *network, const struct address *address)
{
    if (address->family != network->address.family)
        return false;
    for (unsigned i = 0; 8 * i < network->prefix_bits; i++)
        if ((address->bytes[i] ^ network->address.bytes[i]) & mask_of_byte(network->prefix_bits, i))
            return false;
    return true;
}

bool network_list_contains(const struct network_list *list, const struct address *address)
{
    for (size_t i = 0; i < list->n_items; i++)
        if (ip_network_contains(&list->items[i], address))
            return true;
    return false;
}

const char *ip_network_format(const struct ip_network *network, char text[NETWORK_TEXT_MAX])
{
    address_format_host(&network->address, text);
    if (network->prefix_bits < bits_of_family(&network->address)) {
        size_t length = strlen(text);

        snprintf(text + length, NETWORK_TEXT_MAX - length, "/%u", network->prefix_bits);
    }
    return text;
}

int network_list_copy(const struct network_list *list, struct network_list *ret)
{
    struct network_list copy = {.n_items = list->n_items};

    if (list->n_items > 0) {
        copy.items = calloc(list->n_items, sizeof(*copy.items));
        if (!copy.items)
            return -ENOMEM;
        memcpy(copy.items, list->items, list->n_items * sizeof(*copy.items));
    }
    *ret = copy;
    return 0;
}

void network_list_clear(struct network_list *list)
{
    free(list->items);
    *list = (struct network_list){0};
}
