/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Addresses and networks as a mapping file and its probes write them: strictly, in one way only. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The first bits of an address. */
struct network {
    uint8_t bytes[16]; /* network byte order; the rest is zero */
    uint8_t n_bits;    /* that count: 0 .. 32, 0 .. 128 */
    bool is_ipv6;
};

/* Reads an IPv4 address: four decimal numbers without leading zeros. Returns false if the text
 * is none. */
bool network_read_ipv4(const char *text, size_t length, uint8_t ret[16]);

/* Reads an IPv6 address in any of its spellings, without zone. */
bool network_read_ipv6(const char *text, size_t length, uint8_t ret[16]);

/* The text is the one that RFC 5952 has for the address (in whatever case). */
bool network_is_canonical_ipv6(const char *text, size_t length, const uint8_t address[16]);

/* How many bytes at the start of the text can belong to an address. */
size_t network_span(const char *text, size_t length, bool is_ipv6);

/* Clears the bits that do not count. Returns true if one was set. */
bool network_mask(struct network *network);

/* True if the address, of the network's own family, is in the network. */
bool network_contains(const struct network *network, const uint8_t address[16]);
