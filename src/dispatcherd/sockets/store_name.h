/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The addresses of a store that FLEET gives by name. Looking them up may take seconds, and happens
 * in a thread (base/limited_call.h); nobody waits for it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* How often the name is looked up again; and while no address is known, as after a boot before the
 * network is there. */
#define STORE_NAME_AGAIN_USEC   (15 * UINT64_C(1000000))
#define STORE_NAME_MISSING_USEC (2 * UINT64_C(1000000))

struct store_name;

/* Whether "store.example:6379" has a name; "unix:/path", "192.0.2.1:6379" and "[::1]:6379" do not.
 */
bool store_name_is(const char *store);

/* Returns 0 with *ret, which the caller frees, or -ENOMEM. */
int store_name_new(const char *store, struct store_name **ret);
void store_name_free(struct store_name *name);

/* Takes in what was found, and begins to look the name up if that was not done for a while. */
void store_name_follow(struct store_name *name, uint64_t now);

/* The address that was found, as "192.0.2.1:6379"; one that was found before stays as long as it is
 * among those that are found. NULL: none was found yet. */
const char *store_name_address(const struct store_name *name);

/* Why the last look-up failed, from gai_strerror(3); NULL: it did not. */
const char *store_name_reason(const struct store_name *name);
