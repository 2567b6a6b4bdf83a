/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The connection throttle: how many connections a source has made within a minute
 * (dispatcher-mappings(5)).
 *
 * A key is a source (an IPv4 address, or the /64 of an IPv6 address), a rate and a kind; keys count
 * for themselves. The table holds a fixed number of them. When it is full, the one that was not
 * asked for the longest goes, so that a flood from many sources costs memory no more, and forgets
 * only what was quiet. A call takes constant time and allocates nothing.
 *
 * The clock is the caller's; so is the secret of the hash. The table is one block of memory that
 * holds no pointers: it may live in a memfd that outlives the process. */
#pragma once

#include "base/address.h"
#include "base/siphash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Keys of the daemon's table (dispatcher-mappings(5)). It takes 3 MiB when all are in use, and next
 * to nothing before. */
#define THROTTLE_KEYS_MAX 65536

#define THROTTLE_WINDOW_USEC UINT64_C(60000000)

enum throttle_kind {
    THROTTLE_PLAIN,   /* throttle: each window starts from 0 */
    THROTTLE_PENALTY, /* throttle_p: what was above the rate is carried over */
};

struct throttle;

/* Makes a table in memory of its own. `n_keys_max`: 1 to THROTTLE_KEYS_MAX. The pages are taken
 * from the system when they are first used. Returns 0 with *ret, which the caller frees; -EINVAL;
 * or -ENOMEM. */
int throttle_new(uint32_t n_keys_max, const struct siphash_key *key, struct throttle **ret);

/* Frees a table of throttle_new(). NULL does nothing. */
void throttle_free(struct throttle *throttle);

/* Counts one connection at the time `now_usec` (a clock that does not jump, the same for all
 * calls), and says whether it is one too many. Blocked ones count as well. With max_rate 0 every
 * one is too many; an address that is neither IPv4 nor IPv6 is never, and is not counted. */
bool throttle_is_over(struct throttle *throttle, enum throttle_kind kind,
                      const struct address *address, uint32_t max_rate, uint64_t now_usec);

/* Whether the next connection would be one too many, without counting it; with the connections that
 * count already in *ret_count. */
bool throttle_would_be_over(struct throttle *throttle, enum throttle_kind kind,
                            const struct address *address, uint32_t max_rate, uint64_t now_usec,
                            uint32_t *ret_count);

/* Keys in the table, and keys that had to go for others since it was made. */
uint32_t throttle_n_keys(const struct throttle *throttle);
uint64_t throttle_n_evicted(const struct throttle *throttle);

/* For a table in memory of the caller: bytes that n_keys_max keys need. */
size_t throttle_size(uint32_t n_keys_max);

/* Makes an empty table of n_keys_max keys in memory that is all zero, has throttle_size() bytes, is
 * aligned to 8, and stays the caller's. */
struct throttle *throttle_format(void *memory, uint32_t n_keys_max, const struct siphash_key *key);

/* Finds a table that an earlier process has left in the memory. Returns NULL if there is none,
 * or it has another layout or size, or was left in the middle of a change: the caller then clears
 * the memory and makes a new one. */
struct throttle *throttle_adopt(void *memory, size_t size);
