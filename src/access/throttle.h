/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The connection throttle: how many connections a source has made within a minute
 * (dispatcher-mappings(5)).
 *
 * A key is a source (an IPv4 address, or the /64 of an IPv6 address), a rate and a kind; each key
 * has its own count. The table holds a fixed number of keys. When it is full, the key that was not
 * used for the longest is dropped, so that a flood from many sources takes no more memory and only
 * quiet sources are forgotten. A call takes constant time and allocates nothing.
 *
 * Other hosts of a fleet may count the same keys (dispatcher.cnf(5), FLEET). What is known of their
 * counts is kept beside the own one, and added to it; all windows then start at the same times.
 *
 * The caller provides the time and the secret of the hash. The table is one block of memory without
 * pointers: it may be in a memfd that outlives the process. */
#pragma once

#include "access/source.h"
#include "base/address.h"
#include "base/siphash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Keys of the daemon's table (dispatcher-mappings(5)). It takes 4 MiB when all are in use, and next
 * to nothing before. */
#define THROTTLE_KEYS_MAX 65536

#define THROTTLE_WINDOW_USEC UINT64_C(60000000)

/* Other lengths of windows. */
#define THROTTLE_WINDOW_MIN_SEC 10
#define THROTTLE_WINDOW_MAX_SEC 86400

/* Windows that begin within this time of one another count as the same: that is how far a new
 * offset moves them (throttle_align()), unless a clock has been set. */
#define THROTTLE_SHIFT_USEC UINT64_C(1000000)

enum throttle_kind {
    THROTTLE_PLAIN,   /* throttle: each window starts from 0 */
    THROTTLE_PENALTY, /* throttle_p: what exceeds the rate is carried over */
};

struct throttle;

/* What is counted. Without gaps, so that its bytes can be hashed and compared. */
struct throttle_key {
    struct source source;
    uint32_t max_rate;
    uint32_t kind;       /* enum throttle_kind */
    uint32_t window_sec; /* 0: THROTTLE_WINDOW_USEC */
};

/* What is known of a key in its present window. */
struct throttle_view {
    uint32_t number;    /* of its entry, from 1; it may be another key's later */
    uint32_t own;       /* connections to this host, with those carried over */
    uint32_t others;    /* to the other hosts, as far as they are known */
    uint64_t others_at; /* when that was learned; 0: not in this window */
    uint64_t window_at; /* when the window began */
};

/* Makes a table in memory of its own. `n_keys_max`: 1 to THROTTLE_KEYS_MAX. The pages are taken
 * from the system when they are first used. Returns 0 with *ret, which the caller frees; -EINVAL;
 * or -ENOMEM. */
int throttle_new(uint32_t n_keys_max, const struct siphash_key *key, struct throttle **ret);

/* Frees a table of throttle_new(). NULL does nothing. */
void throttle_free(struct throttle *throttle);

/* Counts one connection at the time `now_usec` (a clock that does not jump, the same for all
 * calls). Returns true if it exceeds the rate; such connections count as well. With max_rate 0 all
 * do. An address that is neither IPv4 nor IPv6 is not counted, and never does. */
bool throttle_is_over(struct throttle *throttle, enum throttle_kind kind,
                      const struct address *address, uint32_t max_rate, uint64_t now_usec);

/* The same. *ret_view is what is known afterwards; its number is 0 if nothing was counted. */
bool throttle_count(struct throttle *throttle, enum throttle_kind kind,
                    const struct address *address, uint32_t max_rate, uint64_t now_usec,
                    struct throttle_view *ret_view);

/* Likewise for a key of any kind: *key without its source. */
bool throttle_count_key(struct throttle *throttle, const struct throttle_key *key,
                        const struct address *address, uint64_t now_usec,
                        struct throttle_view *ret_view);

/* Whether the next connection would exceed the rate, without counting it. *ret_count is what has
 * been counted so far. */
bool throttle_would_be_over(struct throttle *throttle, enum throttle_kind kind,
                            const struct address *address, uint32_t max_rate, uint64_t now_usec,
                            uint32_t *ret_count);
bool throttle_key_would_be_over(struct throttle *throttle, const struct throttle_key *key,
                                const struct address *address, uint64_t now_usec,
                                uint32_t *ret_count);

/* How long a window of the key lasts. */
uint64_t throttle_window_usec(const struct throttle_key *key);

/* From now on windows start when the time, ahead by `offset_usec`, is a multiple of their length,
 * for all keys alike, instead of at the first connection of each. Windows that began otherwise end
 * when they would have. */
void throttle_align(struct throttle *throttle, uint64_t offset_usec);

/* The opposite, as it is at first. */
void throttle_unalign(struct throttle *throttle);

/* What is known of other hosts counts no longer. */
void throttle_forget_others(struct throttle *throttle);

/* When the window of such a key would begin if it is new and counted now. */
uint64_t throttle_window_at(const struct throttle *throttle, const struct throttle_key *key,
                            uint64_t now_usec);

/* Looks at an entry, 1 to throttle_n_keys(). */
void throttle_look(struct throttle *throttle, uint32_t number, uint64_t now_usec,
                   struct throttle_key *ret_key, struct throttle_view *ret_view);

/* What another host, or the store of all, knows of a key. Each is a lower bound; 0: nothing. */
struct throttle_news {
    uint32_t own;    /* connections to this host, before it was started anew */
    uint32_t others; /* connections to the other hosts */
    uint32_t total;  /* connections to all hosts */
    bool adds;       /* the key gets an entry if it has none */
};

/* Takes in news about the window that began at `window_at`, in which counts only grow. Returns
 * false if the table has no such key, or another window of it. */
bool throttle_learn(struct throttle *throttle, const struct throttle_key *key, uint64_t window_at,
                    const struct throttle_news *news, uint64_t now_usec);

/* How many keys the table has, and how many were dropped for others since it was made. */
uint32_t throttle_n_keys(const struct throttle *throttle);
uint64_t throttle_n_evicted(const struct throttle *throttle);

/* How many bytes a table of n_keys_max keys needs in memory of the caller's. */
size_t throttle_size(uint32_t n_keys_max);

/* Makes an empty table of n_keys_max keys in memory that is all zero, has throttle_size() bytes, is
 * aligned to 8, and stays the caller's. */
struct throttle *throttle_format(void *memory, uint32_t n_keys_max, const struct siphash_key *key);

/* Finds the table that an earlier process left in the memory. Returns NULL if there is none, if its
 * layout or size differs, or if it was left in the middle of a change: the caller then clears the
 * memory and makes a new one. */
struct throttle *throttle_adopt(void *memory, size_t size);
