/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The rules of DNS lists (RFC 5782): which name is asked about a client, who is never asked
 * about, what an answer means, and what a listed client is told. Pure. */
#pragma once

#include "base/address.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Longest domain name as text, without a dot at its end. */
#define DNS_NAME_MAX 253

/* Longest zone: 32 nibbles with their dots go before it. */
#define DNS_ZONE_MAX (DNS_NAME_MAX - 64)

/* Longest text of a list that is kept. */
#define DNS_TEXT_MAX 200

/* What the answer to a question for A says (dispatcher.cnf(5), DNS_VERIFY_DOMAIN), the least first:
 * of several addresses in one answer the greatest counts. */
enum dns_answer {
    DNS_ANSWER_CLEAN,        /* no such name, or no address */
    DNS_ANSWER_NOT_A_LIST,   /* outside 127/8, or 127.0.0.1: a parked, hijacked or dead zone */
    DNS_ANSWER_REFUSED_CODE, /* 127.255.255/24: the list refuses to answer our resolver */
    DNS_ANSWER_LISTED,
};

/* Meaning of one address, which is in network byte order. */
enum dns_answer dns_list_meaning(struct in_addr address);

/* True for clients about which no list can know anything: loopback, private, shared and link-local
 * addresses, and what is no IP address. */
bool dns_list_never_asks(const struct address *client);

/* Writes the zone in the form that is compared: in lower case, without the dot at its end. Returns
 * 0, or -EINVAL for what is no zone, an address literal among them. */
int dns_list_read_zone(const char *text, char ret[DNS_ZONE_MAX + 1]);

/* Writes the name to ask: "7.100.51.198.ZONE", or 32 nibbles for IPv6; an IPv4 address in IPv6
 * clothes is asked as IPv4. `zone` is one of dns_list_read_zone(). Returns 0, or -EINVAL if the
 * client has no such address. */
int dns_list_query_name(const struct address *client, const char *zone, char ret[DNS_NAME_MAX + 1]);

/* What a listed client reads (dispatcher.cnf(5), DNS_VERIFY_DOMAIN), with its CRLF; "" on ports
 * if nothing is said. */
const char *dns_list_rejection(uint16_t port);

/* Writes what a list says of a client (TXT) as one line of printable ASCII: other bytes become
 * '?', blanks at both ends are dropped, and the rest is cut. Returns the length; 0 is no text. */
size_t dns_list_clean_text(const void *bytes, size_t size, char ret[DNS_TEXT_MAX + 1]);
