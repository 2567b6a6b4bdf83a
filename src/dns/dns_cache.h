/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Keeps answers of name servers as long as they are valid, in a limited number of entries. */
#pragma once

#include "dns/dns_answer.h"

#include <stddef.h>
#include <stdint.h>

struct dns_cache;

/* Makes a cache of at most n_max entries, at least 1; when it is full, the least recently used
 * entry is dropped. Returns 0 with *ret, which the caller frees, or a negative errno. */
int dns_cache_new(size_t n_max, struct dns_cache **ret);

/* NULL does nothing. */
void dns_cache_free(struct dns_cache *cache);

/* What is known about the name at `now_usec` (monotonic). Returns true with *ret, whose ttl_sec is
 * the one that came with the answer. */
bool dns_cache_find(struct dns_cache *cache, const char *name, enum dns_type type,
                    uint64_t now_usec, struct dns_fact *ret);

/* Keeps the fact for its ttl_sec; it replaces an older one of the same name and type. Without
 * memory nothing is kept. */
void dns_cache_put(struct dns_cache *cache, const char *name, enum dns_type type, uint64_t now_usec,
                   const struct dns_fact *fact);

/* How many entries there are, including expired ones. */
size_t dns_cache_n_entries(const struct dns_cache *cache);
