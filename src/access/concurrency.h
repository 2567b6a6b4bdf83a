/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* How many connections each source has open now. A source is an IPv4 address, or the /64 of an IPv6
 * address.
 *
 * Only sources with a connection are in the table, so it never needs more places than there can be
 * connections. A call takes constant time and allocates nothing. */
#pragma once

#include "base/address.h"
#include "base/siphash.h"

#include <stdint.h>

struct concurrency;
struct source;

/* The most places of a table: no system has descriptors for more connections. */
#define CONCURRENCY_PLACES_MAX (UINT32_C(1) << 24)

/* Makes an empty table for `n_places` sources, as many as there can be connections: 1 to
 * CONCURRENCY_PLACES_MAX. The pages are taken from the system when they are first used. Returns 0
 * with *ret, which the caller frees; -EINVAL; or -ENOMEM. */
int concurrency_new(uint32_t n_places, const struct siphash_key *key, struct concurrency **ret);

/* NULL does nothing. */
void concurrency_free(struct concurrency *concurrency);

/* A connection of the address begins. Returns how many it has now, this one included. Returns 0 if
 * the connection cannot be counted, and so is not limited: its address is neither IPv4 nor IPv6, or
 * the table is full, which has a counter of its own. */
uint32_t concurrency_add(struct concurrency *concurrency, const struct address *address);

/* A connection of the address that was added has ended. Does nothing if the address is not in the
 * table. */
void concurrency_remove(struct concurrency *concurrency, const struct address *address);

/* How many connections the address has. */
uint32_t concurrency_lookup(struct concurrency *concurrency, const struct address *address);

/* Calls `visit` for each source in the table. It must not change the table. */
void concurrency_each(struct concurrency *concurrency,
                      void (*visit)(const struct source *source, uint32_t n, void *userdata),
                      void *userdata);

/* How many sources the table has, and how many connections it had no place for since it was made.
 */
uint32_t concurrency_n_sources(const struct concurrency *concurrency);
uint64_t concurrency_n_uncounted(const struct concurrency *concurrency);
