/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Addresses and networks in the form of mapping files and probes, strictly. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The first bits of an address. */
struct network {
    uint8_t bytes[16]; /* network byte order; the rest is zero */
    uint8_t n_bits;    /* significant ones: 0 .. 32, 0 .. 128 */
    bool is_ipv6;
};

/* Reads an IPv4 address: four decimal numbers without leading zeros. Returns false if it is none.
 */
bool network_read_ipv4(const char *text, size_t length, uint8_t ret[16]);

/* Reads an IPv6 address in any of its spellings, without zone. */
bool network_read_ipv6(const char *text, size_t length, uint8_t ret[16]);

/* Whether the text is the form of RFC 5952 for its address (without regard to case). */
bool network_is_canonical_ipv6(const char *text, size_t length, const uint8_t address[16]);

/* How many bytes at the start of the text could belong to an address. */
size_t network_span(const char *text, size_t length, bool is_ipv6);

/* Clears all other bits. Returns true if one of them was set. */
bool network_mask(struct network *network);

/* Whether the network contains the address, which has the same family. */
bool network_contains(const struct network *network, const uint8_t address[16]);
