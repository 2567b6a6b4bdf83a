/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The addresses of a store that FLEET gives by name. Looking them up may take seconds, and happens
 * in a thread (base/limited_call.h); nobody waits for it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* How often the name is looked up again; and while no address is known, as after a boot before the
 * network is there. */
#define FLEET_ADDRESS_AGAIN_USEC   (15 * UINT64_C(1000000))
#define FLEET_ADDRESS_MISSING_USEC (2 * UINT64_C(1000000))

struct fleet_address;

/* Whether "store.example:6379" has a name; "unix:/path", "192.0.2.1:6379" and "[::1]:6379" do not.
 */
bool fleet_address_has_name(const char *store);

/* Returns 0 with *ret, which the caller frees, or -ENOMEM. */
int fleet_address_new(const char *store, struct fleet_address **ret);
void fleet_address_free(struct fleet_address *name);

/* Takes in what was found, and begins to look the name up if that was not done for a while. */
void fleet_address_follow(struct fleet_address *name, uint64_t now);

/* The address that was found, as "192.0.2.1:6379"; one that was found before stays as long as it is
 * among those that are found. NULL: none was found yet. */
const char *fleet_address_text(const struct fleet_address *name);

/* Why the last look-up failed, from gai_strerror(3); NULL: it did not. */
const char *fleet_address_reason(const struct fleet_address *name);
