/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What name servers said, for as long as they said it holds, within a bounded number of entries. */
#pragma once

#include "access/dns_answer.h"

#include <stddef.h>
#include <stdint.h>

struct dns_cache;

/* At most n_max entries, at least 1; above it the one that was used longest ago goes. Returns 0
 * with *ret, which the caller frees, or a negative errno. */
int dns_cache_new(size_t n_max, struct dns_cache **ret);

/* NULL does nothing. */
void dns_cache_free(struct dns_cache *cache);

/* What is known of the name at `now_usec` (monotonic). Returns true with *ret, whose ttl_sec is
 * the one that came with the answer. */
bool dns_cache_find(struct dns_cache *cache, const char *name, enum dns_type type,
                    uint64_t now_usec, struct dns_fact *ret);

/* Keeps the fact for its ttl_sec, in the place of an older one of the same name and type. Without
 * memory nothing is kept. */
void dns_cache_put(struct dns_cache *cache, const char *name, enum dns_type type, uint64_t now_usec,
                   const struct dns_fact *fact);

/* Entries in it, those that have run out among them. */
size_t dns_cache_n_entries(const struct dns_cache *cache);
