/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Addresses of the envelope, by the grammar of RFC 5321, 4.1.2 and 4.1.3, with UTF-8 if RFC 6531,
 * 3.3 allows it. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* RFC 5321, 4.5.3.1.1 to 4.5.3.1.3, in octets. A path has its angle brackets. */
#define LOCAL_PART_MAX  64
#define DOMAIN_MAX      255
#define PATH_MAX_OCTETS 256

struct path {
    /* "local@domain" as the client wrote it (with quotes, without source route), "postmaster" or,
     * for the null reverse path, "". It has no control characters, so it can be put into a header.
     */
    char mailbox[PATH_MAX_OCTETS];
    size_t domain_at; /* where the domain starts in `mailbox`; its end if there is none */
    bool is_ascii;
};

/* "" if there is none. */
static inline const char *path_domain(const struct path *path)
{
    return path->mailbox + path->domain_at;
}

enum path_kind {
    PATH_REVERSE, /* of MAIL: may be null */
    PATH_FORWARD, /* of RCPT: may be "postmaster" without a domain */
};

/* Reads "<...>" at the start of `text`. Returns what follows it, or NULL if there is no path. */
const char *path_parse(const char *text, enum path_kind kind, struct path *ret);

/* True for a domain name, in which "_" is allowed as usual, or an address literal in brackets.
 * UTF-8 only with `allow_utf8`. */
bool path_is_domain(const char *text, bool allow_utf8);
