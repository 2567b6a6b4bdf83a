/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The header of the PROXY protocol, versions 1 and 2 (HAProxy, doc/proxy-protocol.txt). A proxy
 * sends it before the client's first byte, and names the ends of the client's connection. Pure:
 * bytes in, addresses out.
 *
 * What follows the addresses of version 2 (TLVs) is skipped unread. In particular, a checksum there
 * (PP2_TYPE_CRC32C) is not verified. */
#pragma once

#include "base/address.h"

#include <stdbool.h>
#include <stddef.h>

/* The longest header that is accepted. Version 1 has up to 107 bytes, version 2 up to 65551; its
 * longest addresses need 232, and the TLVs of real proxies (a name of 255 bytes, properties of the
 * client's certificate) some hundred more. */
#define PROXY_HEADER_MAX_BYTES 2048

enum proxy_header_result {
    PROXY_HEADER_MORE,     /* the start of a header */
    PROXY_HEADER_COMPLETE, /* a whole header */
    PROXY_HEADER_INVALID,  /* no header, or one that is not allowed */
};

struct proxy_header {
    size_t length; /* bytes; the client's own begin here */

    /* If true, peer and local are the ends of the client's connection to the proxy, both AF_UNIX
     * for a Unix socket there. If false, the proxy speaks for itself (LOCAL) or does not know the
     * addresses (UNKNOWN), and those of the connection count. */
    bool has_addresses;
    struct address peer, local;
};

/* Reads the header at the start of `bytes`: all that has arrived, from the first byte on. *ret is
 * set if the header is complete. If it is invalid, *ret_fault is a phrase that says why, and lives
 * forever. Bytes that cannot become a header are reported as invalid at the first that differs from
 * both signatures, and a line of version 1 when it is complete; after PROXY_HEADER_MAX_BYTES the
 * result is never PROXY_HEADER_MORE. */
enum proxy_header_result proxy_header_parse(const void *bytes, size_t size,
                                            struct proxy_header *ret, const char **ret_fault);
