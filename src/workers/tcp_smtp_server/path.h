/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Addresses of the envelope, by the grammar of RFC 5321, 4.1.2 and 4.1.3, with UTF-8 if RFC
 * 6531, 3.3 allows it. Pure: text in, parts out. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* RFC 5321, 4.5.3.1.1 to 4.5.3.1.3, in octets. A path has its angle brackets. */
#define LOCAL_PART_MAX  64
#define DOMAIN_MAX      255
#define PATH_MAX_OCTETS 256

struct path {
    /* "local@domain" as the client wrote it (quotes kept, source route dropped), "postmaster" or,
     * for the null reverse path, "". No control character is in it: it is fit for a header. */
    char mailbox[PATH_MAX_OCTETS];
    size_t domain_at; /* where in `mailbox` the domain starts; its end where there is none */
    bool is_ascii;
};

/* "" if there is none. */
static inline const char *path_domain(const struct path *path)
{
    return path->mailbox + path->domain_at;
}

enum path_kind {
    PATH_REVERSE, /* MAIL: may be null */
    PATH_FORWARD, /* RCPT: may be "postmaster" without a domain */
};

/* Reads "<...>" from the start of `text`. Returns what follows it, or NULL if it is no path. */
const char *path_parse(const char *text, enum path_kind kind, struct path *ret);

/* True for a domain name, with "_" allowed as everybody does, or an address literal in brackets. No
 * UTF-8 without `allow_utf8`. */
bool path_is_domain(const char *text, bool allow_utf8);
