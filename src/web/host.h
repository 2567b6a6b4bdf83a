/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Which names in a request's Host: are accepted.
 *
 * A foreign web page can make a name of its own refer to this host, and a browser would let it read
 * our answers (DNS rebinding). But it cannot use a name that is an address, or one of ours. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* True if `host` ("NAME", "NAME:PORT", "[IPV6]:PORT") is an address, "localhost", this host's
 * present name, or one of `names`, without regard to case. */
bool host_is_ours(const char *host, const char *const names[], size_t n_names);

/* True if it is a valid value of Host: (RFC 3986, section 3.2): no space, no path, no user. It may
 * be empty. */
bool host_is_valid(const char *host);
