/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The rules of DNS lists (RFC 5782): which name is queried for a client, which clients are never
 * looked up, what an answer means, and what a listed client is told. Pure. */
#pragma once

#include "base/address.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Longest domain name as text, without a dot at its end. */
#define DNS_NAME_MAX 253

/* The longest zone: 32 nibbles with their dots are put before it. */
#define DNS_ZONE_MAX (DNS_NAME_MAX - 64)

/* Longest text of a list that is kept. */
#define DNS_TEXT_MAX 200

/* What an answer for type A means (dispatcher.cnf(5), DNS_VERIFY_DOMAIN), in ascending order: of
 * several addresses in an answer, the greatest meaning counts. */
enum dns_answer {
    DNS_ANSWER_CLEAN,      /* no such name, or no address */
    DNS_ANSWER_NOT_A_LIST, /* outside 127/8, or 127.0.0.1: the zone is parked, hijacked or given up
                            */
    DNS_ANSWER_REFUSED_CODE, /* 127.255.255/24: the list refuses to answer our name server */
    DNS_ANSWER_LISTED,
};

/* The meaning of one address in network byte order. */
enum dns_answer dns_list_meaning(struct in_addr address);

/* True for clients about which lists know nothing: loopback, private, shared and link-local
 * addresses, and other families. */
bool dns_list_never_asks(const struct address *client);

/* Writes the zone in the form in which zones are compared: in lower case, without the dot at its
 * end. Returns 0, or -EINVAL if it is no zone, for instance an address. */
int dns_list_read_zone(const char *text, char ret[DNS_ZONE_MAX + 1]);

/* Writes the name to query: "7.100.51.198.ZONE", or 32 nibbles for IPv6; an IPv4 address that is
 * mapped into IPv6 is queried as IPv4. `zone` comes from dns_list_read_zone(). Returns 0, or
 * -EINVAL if the client has no IP address. */
int dns_list_query_name(const struct address *client, const char *zone, char ret[DNS_NAME_MAX + 1]);

/* What a listed client is told (dispatcher.cnf(5), DNS_VERIFY_DOMAIN), with CRLF; "" if nothing is
 * sent on that port. */
const char *dns_list_rejection(uint16_t port);

/* Writes the text that a list has for a client (TXT) as one line of printable ASCII: other bytes
 * become '?', blanks at both ends are dropped, and it is cut if too long. Returns its length; 0
 * means no text. */
size_t dns_list_clean_text(const void *bytes, size_t size, char ret[DNS_TEXT_MAX + 1]);
