/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Writes the header of the PROXY protocol (HAProxy, doc/proxy-protocol.txt), by which a back end
 * learns whose connection it gets. Pure. */
#pragma once

#include "workers/tls/facts.h"

#include <stddef.h>
#include <sys/socket.h>

enum header_version {
    HEADER_V2,
    HEADER_V1,
    HEADER_NONE
};

/* Version 1 needs 107 at the most; version 2 with IPv6 addresses and an identifier of 16 bytes 71,
 * and what is said of TLS the bytes of struct tls_facts. */
#define HEADER_MAX_BYTES 1024

/* The client's address and the one that it has connected to; `id` is the connection's, for the back
 * end's log (version 2, PP2_TYPE_UNIQUE_ID). Addresses that are no pair of one internet family are
 * given as unknown. `tls` is what is known of the client's TLS, which ended here, or NULL (version
 * 2, PP2_TYPE_SSL and PP2_TYPE_AUTHORITY). Returns the length, 0 for HEADER_NONE. */
size_t header_write(char header[HEADER_MAX_BYTES], enum header_version version,
                    const struct sockaddr *peer, const struct sockaddr *local, const char *id,
                    const struct tls_facts *tls);

/* The header of a connection that is nobody's: a look whether the back end is there. */
size_t header_write_local(char header[HEADER_MAX_BYTES], enum header_version version);
