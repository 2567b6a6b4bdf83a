/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Lists of IP networks, as in "192.0.2.0/24, 2001:db8::/32, 127.0.0.1": reading, matching and
 * writing them. */
#pragma once

#include "base/address.h"

#include <stdbool.h>
#include <stddef.h>

/* One network. Bits of the address beyond the prefix are zero. */
struct ip_network {
    struct address address; /* AF_INET or AF_INET6; port and scope are 0 */
    unsigned prefix_bits;   /* up to 32 or 128, which is one address */
};

/* The most networks in a list: it is searched from its start for each connection. */
#define NETWORKS_MAX 256

/* An ordered list. Owns its array. All zero is an empty list. */
struct network_list {
    struct ip_network *items;
    size_t n_items;
};

/* Room for the reason why a text is invalid, with its NUL. */
#define NETWORK_REASON_MAX 200

/* Longest text of ip_network_format(), with its NUL. */
#define NETWORK_TEXT_MAX (ADDRESS_TEXT_MAX + 4)

/* Reads one network: an address, or an address and the length of its prefix. Names are not
 * resolved, and bits beyond the prefix are an error. Returns 0; or -EINVAL with `reason`, a phrase
 * that says what would be right. */
int ip_network_parse(const char *text, struct ip_network *ret, char reason[NETWORK_REASON_MAX]);

/* Reads networks that are separated by commas, with or without blanks; an empty text is an empty
 * list. Returns 0 with *ret, which the caller clears; -EINVAL with `reason`; or -ENOMEM. */
int network_list_parse(const char *text, struct network_list *ret, char reason[NETWORK_REASON_MAX]);

/* True if the network contains the address. An IPv4 address is in no IPv6 network, even if it came
 * over an IPv6 socket. */
bool ip_network_contains(const struct ip_network *network, const struct address *address);

/* True if one of the list's networks contains the address. */
bool network_list_contains(const struct network_list *list, const struct address *address);

/* "192.0.2.0/24", or "192.0.2.1" for a single address: what ip_network_parse() reads. Returns
 * `text`. */
const char *ip_network_format(const struct ip_network *network, char text[NETWORK_TEXT_MAX]);

/* Makes *ret a copy of `list`. Returns 0 or -ENOMEM. */
int network_list_copy(const struct network_list *list, struct network_list *ret);

/* Frees what the list owns; it is empty afterwards. */
void network_list_clear(struct network_list *list);
