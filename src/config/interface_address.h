/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* INTERFACE_ADDRESS: an address of this host; if it is a link-local one, with its zone (RFC 4007).
 */
#pragma once

#include "base/address.h"

#include <net/if.h>
#include <stdbool.h>

struct interface_address {
    struct address address; /* the port is 0, and so is the scope, since interfaces come and go */
    char zone[IF_NAMESIZE]; /* name or number of the interface of a link-local address; "": none */
};

/* Longest text of interface_address_format(), with its NUL. */
#define INTERFACE_ADDRESS_TEXT_MAX (ADDRESS_TEXT_MAX + IF_NAMESIZE)

/* Reads "192.0.2.1", "2001:db8::1", "[2001:db8::1]", "fe80::1%eth0" or "[fe80::1%eth0]". Returns
 * NULL, or a phrase that says what would be right. */
const char *interface_address_parse(const char *text, struct interface_address *ret);

/* The text that interface_address_parse() reads. Returns `text`. */
const char *interface_address_format(const struct interface_address *address,
                                     char text[INTERFACE_ADDRESS_TEXT_MAX]);

/* True for fe80::/10: each interface may have the same address, so the kernel needs a zone. */
bool interface_address_is_link_local(const struct interface_address *address);

/* The address as bind() takes it, and as a listening socket has it now. The scope is 0 if the host
 * has no such interface. */
struct address interface_address_now(const struct interface_address *address);
