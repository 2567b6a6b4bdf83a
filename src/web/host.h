/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Which names in a request's Host: are ours.
 *
 * A page from elsewhere can point a name of its own at this host, and a browser would let it read
 * what we answer (DNS rebinding). It cannot choose a name that is an address, or ours. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* True if `host` ("NAME", "NAME:PORT", "[IPV6]:PORT") is an address, "localhost", the name that
 * this host has at the moment, or one of `names`, without regard to case. */
bool host_is_ours(const char *host, const char *const names[], size_t n_names);

/* True if it can be the value of a Host: at all (RFC 3986, section 3.2): no space, no path, no
 * user. An empty one can. */
bool host_is_valid(const char *host);
