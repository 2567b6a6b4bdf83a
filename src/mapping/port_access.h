/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What PORT_ACCESS says of a connection (dispatcher-mappings(5)). Pure: the probe in, the verdict
 * out; whoever accepted the connection runs the mapping between the two. */
#pragma once

#include "base/address.h"
#include "mapping/run.h"

#include <stdbool.h>
#include <stddef.h>

/* "TCP|server|port|client|port" and its NUL. */
#define PORT_ACCESS_PROBE_MAX 112

/* Bytes to the client, at most (dispatcher-mappings(5)). */
#define PORT_ACCESS_REPLY_MAX 1024

/* The input flag that tells the Dispatcher's own run of the table (dispatcher-mappings(5)). */
#define PORT_ACCESS_INPUT_FLAGS FLAG_OF('A')

/* Writes the probe; an IPv4 address in IPv6 form is written as IPv4, a zone is left out. Returns 0,
 * or -EAFNOSUPPORT if an end is neither IPv4 nor IPv6: a client on a Unix socket has no address
 * that a table could name. Whom the socket's mode lets in is accepted, and the table not asked. */
int port_access_probe(const struct address *server, const struct address *client,
                      char probe[PORT_ACCESS_PROBE_MAX]);

/* Texts are terminated, without control characters, and empty if there is none. */
struct port_access {
    bool is_matched;   /* an entry decided; lists of DNS_VERIFY_DOMAIN are asked only if not */
    bool is_permitted; /* by $Y of an entry for some addresses: also beyond MAX_CONNS_PER_ADDRESS */
    bool is_rejected;
    bool has_hit_limit;                    /* accepted because the run took too much: an error */
    const struct mapping_entry *entry;     /* the one that decided, NULL: none; the set's */
    char reply[PORT_ACCESS_REPLY_MAX + 1]; /* for the client: lines, each with its CRLF */
    size_t reply_length;
    char match_note[MAPPING_STRING_MAX + 1];  /* of $<: to be logged in any case */
    char reject_note[MAPPING_STRING_MAX + 1]; /* of $>: to be logged; only if rejected */
    char tag[MAPPING_STRING_MAX + 1];         /* text after $Y, for the worker */
    char log_text[MAPPING_STRING_MAX + 1];    /* text after "||", kept with the connection */
};

/* Reads the verdict out of a run that has come to its end (DONE or LIMIT). */
void port_access_judge(const struct mapping_run *run, struct port_access *ret);
