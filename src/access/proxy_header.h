/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The header of the PROXY protocol, versions 1 and 2 (HAProxy, doc/proxy-protocol.txt): with it a
 * proxy says, before the client's first byte, whose connection it passes on.
 *
 * Pure: bytes in, addresses out. What follows the addresses of version 2 (TLVs) is skipped unread;
 * in particular a checksum there (PP2_TYPE_CRC32C) is not verified. */
#pragma once

#include "base/address.h"

#include <stdbool.h>
#include <stddef.h>

/* Longest header that is taken. Version 1 has 107 bytes at the most, version 2 could have 65551;
 * its longest addresses need 232, and the TLVs of real proxies (a name of 255 bytes, what is known
 * of the client's certificate) some hundred more. */
#define PROXY_HEADER_MAX_BYTES 2048

enum proxy_header_result {
    PROXY_HEADER_MORE,     /* so far it is the start of a header */
    PROXY_HEADER_COMPLETE, /* a whole header */
    PROXY_HEADER_INVALID,  /* no header, or none that is allowed */
};

struct proxy_header {
    size_t length; /* bytes; the client's own begin here */

    /* True: peer and local are the ends of the client's connection to the proxy; both are AF_UNIX
     * for a Unix socket there. False: the proxy speaks for itself (LOCAL) or does not know
     * (UNKNOWN), and the connection's own addresses count. */
    bool has_addresses;
    struct address peer, local;
};

/* Reads the header at the start of `bytes`, which is all that has arrived, from its first byte on.
 * *ret is set if it is complete. If it is invalid, *ret_fault says why, as a phrase that
 * lives forever. What no header starts with is found at its first byte that differs, and
 * PROXY_HEADER_MAX_BYTES never ask for more. */
enum proxy_header_result proxy_header_parse(const void *bytes, size_t size,
                                            struct proxy_header *ret, const char **ret_fault);
