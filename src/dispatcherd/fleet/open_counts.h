/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* How many connections each address has open, here and at the other hosts of a fleet
 * (dispatcher.cnf(5), FLEET_ADDRESSES).
 *
 * A count that has changed here is owed to the store, and sent again every 5 s, since the store
 * ignores what is older than 15 s: a host that died is forgotten. The answer brings the others'
 * sum. An address that has reached its limit is told to all hosts, and so is that it no longer has.
 *
 * Pure: the caller provides the time, and carries counts to the store and answers back. */
#pragma once

#include "access/source.h"
#include "base/siphash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Addresses that are known; further ones count on this host alone. They take 8 MiB. */
#define OPEN_COUNTS_MAX 65536

#define OPEN_REFRESH_USEC (5 * UINT64_C(1000000))
#define OPEN_EXPIRE_USEC  (15 * UINT64_C(1000000))

/* A service's name, with its NUL. */
#define OPEN_SERVICE_MAX 33

/* Without gaps, so that its bytes can be hashed and compared. */
struct open_key {
    struct source source;
    char service[36]; /* in lower case; the rest is zero */
};

struct open_item {
    struct open_key key;
    uint32_t own;
    uint32_t limit;
    uint32_t n_sent; /* tells the times that the key was sent from one another */
};

struct open_counts;

/* Fills in a key. Returns false if the name is too long. */
bool open_key_set(struct open_key *key, const char *service, const struct source *source);

/* Makes an empty table. Returns 0 with *ret, which the caller frees, or -ENOMEM. */
int open_counts_new(const struct siphash_key *key, struct open_counts **ret);
void open_counts_free(struct open_counts *counts);

/* The source has `own` connections here, of at most `limit` in all. */
void open_counts_set(struct open_counts *counts, const struct open_key *key, uint32_t own,
                     uint32_t limit, uint64_t now);

/* How many it has at the other hosts, as far as that is known; *ret_at is when that was learned, 0:
 * nothing is known. */
uint32_t open_counts_elsewhere(struct open_counts *counts, const struct open_key *key, uint64_t now,
                               uint64_t *ret_at);

/* When counts are to be sent: 0, now; UINT64_MAX: there are none. */
uint64_t open_counts_due(const struct open_counts *counts);

/* Gives up to n_max counts that are to be sent now. Returns how many. */
size_t open_counts_take(struct open_counts *counts, struct open_item *items, size_t n_max,
                        uint64_t now);

/* The store may not have what was sent: all counts are owed, and so is each 0 without an answer. */
void open_counts_owe_all(struct open_counts *counts);

/* The answer to a count that was sent. */
void open_counts_answer(struct open_counts *counts, const struct open_item *item, uint32_t others,
                        uint64_t now);

/* The source has reached its limit, with `total` connections in all; or, with 0, it no longer has.
 */
void open_counts_tell(struct open_counts *counts, const struct open_key *key, uint32_t total,
                      uint64_t now);

/* Addresses in the table, and counts it had no room for. */
size_t open_counts_n(const struct open_counts *counts);
uint64_t open_counts_n_left_out(const struct open_counts *counts);
