/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What a connection is counted for: an IPv4 address, or the /64 of an IPv6 address, which is what
 * one household or one server usually has (dispatcher-mappings(5)). */
#pragma once

#include "base/address.h"

#include <stdbool.h>
#include <stdint.h>

/* Without gaps, so that its bytes can be hashed and compared. */
struct source {
    uint8_t prefix[8]; /* IPv4: the first four; the rest is zero */
    uint32_t family;   /* AF_INET or AF_INET6; 0: no source */
};

/* The network around an address: the IPv4 /24, or the IPv6 /48, which is what a site has (RFC
 * 6177). Other addresses are returned as they are. */
struct address source_network(const struct address *address);

/* The longest text of source_format(), with its NUL. */
#define SOURCE_TEXT_MAX (ADDRESS_TEXT_MAX + 3)

/* "192.0.2.1", or "2001:db8:1:2::/64". Returns `text`. */
const char *source_format(const struct source *source, char text[SOURCE_TEXT_MAX]);

/* Returns false if the address is neither IPv4 nor IPv6, and so has no source. */
bool source_of(const struct address *address, struct source *ret);
