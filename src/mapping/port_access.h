/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What PORT_ACCESS decides about a connection (dispatcher-mappings(5)). Pure: makes the probe, and
 * reads the verdict; the caller runs the mapping in between. */
#pragma once

#include "base/address.h"
#include "mapping/run.h"

#include <stdbool.h>
#include <stddef.h>

/* "TCP|server|port|client|port" and its NUL. */
#define PORT_ACCESS_PROBE_MAX 112

/* The most bytes that are sent to the client (dispatcher-mappings(5)). */
#define PORT_ACCESS_REPLY_MAX 1024

/* The input flag of the Dispatcher's own lookups (dispatcher-mappings(5)). */
#define PORT_ACCESS_INPUT_FLAGS FLAG_OF('A')

/* Writes the probe. An IPv4 address in IPv6 form is written as IPv4; a zone is left out. Returns 0,
 * or -EAFNOSUPPORT if one of the ends is neither IPv4 nor IPv6: a client on a Unix socket has no
 * address that a table could name, and is admitted without a lookup. */
int port_access_probe(const struct address *server, const struct address *client,
                      char probe[PORT_ACCESS_PROBE_MAX]);

/* Texts are terminated, have no control characters, and are empty if there is none. */
struct port_access {
    bool is_matched;   /* an entry decided; otherwise lists of DNS_VERIFY_DOMAIN are asked */
    bool is_permitted; /* by $Y of an entry for certain addresses: also beyond MAX_CONNS_PER_ADDRESS
                        */
    bool is_rejected;
    bool has_hit_limit;                    /* accepted because the run took too much: an error */
    const struct mapping_entry *entry;     /* that decided; NULL: none did; belongs to the set */
    char reply[PORT_ACCESS_REPLY_MAX + 1]; /* for the client: lines, each with CRLF */
    size_t reply_length;
    char match_note[MAPPING_STRING_MAX + 1];  /* of $<: logged in any case */
    char reject_note[MAPPING_STRING_MAX + 1]; /* of $>: logged only if the client is rejected */
    char tag[MAPPING_STRING_MAX + 1];         /* text after $Y, for the worker */
    char log_text[MAPPING_STRING_MAX + 1];    /* text after "||", kept with the connection */
};

/* Reads the verdict of a run that has finished (DONE or LIMIT). */
void port_access_judge(const struct mapping_run *run, struct port_access *ret);
