/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The address of one end of a connection: IPv4, IPv6 or Unix, in a form of fixed size that can be
 * compared, stored and sent.
 *
 * An IPv4 address that came over an IPv6 socket (::ffff:a.b.c.d) is kept as the IPv4 address it
 * is, so that everything above sees one form. The path of a Unix socket is not kept. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct address {
    uint16_t family;   /* AF_INET, AF_INET6, AF_UNIX, or AF_UNSPEC if nothing is known */
    uint16_t port;     /* host byte order; 0 for AF_UNIX */
    uint32_t scope_id; /* interface of a link-local IPv6 address, else 0 */
    uint8_t bytes[16]; /* network byte order; IPv4 uses the first four; the rest is zero */
};

/* Longest text of address_format(): IPv6 with scope, brackets and port, and its NUL. */
#define ADDRESS_TEXT_MAX 80

/* Converts what the kernel returned. An unknown family becomes AF_UNSPEC. */
struct address address_from_sockaddr(const struct sockaddr *sa, socklen_t length);

/* Converts to the form that bind() takes; IPv4 and IPv6 only. Returns the length used, or 0. */
socklen_t address_to_sockaddr(const struct address *address, struct sockaddr_storage *ret);

/* Reads "192.0.2.1", "2001:db8::1" or "[2001:db8::1]"; the port stays 0. Returns 0 or -EINVAL. */
int address_parse(const char *text, struct address *ret);

/* The address without its port: "192.0.2.1", "2001:db8::1" (RFC 5952), "unix", "unknown".
 * Returns `text`. */
const char *address_format_host(const struct address *address, char text[ADDRESS_TEXT_MAX]);

/* The same with its port: "192.0.2.1:25", "[2001:db8::1]:25", "unix". Returns `text`. */
const char *address_format(const struct address *address, char text[ADDRESS_TEXT_MAX]);

/* True if family, bytes, scope and port agree. */
bool address_equal(const struct address *a, const struct address *b);

/* True for 0.0.0.0 and ::. */
bool address_is_wildcard(const struct address *address);
