/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Keeps replies for callers whose figures may be a moment old: making a reply about many services
 * takes milliseconds, copying one takes microseconds. Bounded; the reply that expires first is
 * replaced first. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How long a reply is kept: this many times as long as it took to make, so that at most a hundredth
 * of the time is spent on it, within these bounds. (61 services: 3.3 ms, kept for 0.3 s.) */
#define CONTROL_CACHE_COST_FACTOR  100
#define CONTROL_CACHE_AGE_MIN_USEC UINT64_C(100000)
#define CONTROL_CACHE_AGE_MAX_USEC UINT64_C(1000000)

#define CONTROL_CACHE_REPLIES 8
#define CONTROL_CACHE_KEY_MAX 256 /* with its NUL */

/* Owns its texts. All zero is an empty cache. */
struct control_cache {
    struct control_cached {
        char key[CONTROL_CACHE_KEY_MAX];
        char *reply; /* NULL: none */
        size_t size;
        uint64_t expires_at;
    } replies[CONTROL_CACHE_REPLIES];
};

/* Gives the caller a copy of the reply with that key. Returns false if there is none, or no memory.
 */
bool control_cache_find(struct control_cache *cache, const char *key, uint64_t now, char **ret,
                        size_t *ret_size);

/* Keeps a copy of a reply of `size` bytes that took `cost_usec` to make. Without memory it does
 * nothing. */
void control_cache_keep(struct control_cache *cache, const char *key, const char *reply,
                        size_t size, uint64_t cost_usec, uint64_t now);

void control_cache_clear(struct control_cache *cache);
