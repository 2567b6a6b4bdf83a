/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Finds the first of many networks that contains an address. Adjacent entries of a table that are
 * only networks or addresses are indexed, so that a table of a hundred thousand is as fast as one
 * of ten. */
#pragma once

#include "mapping/arena.h"
#include "mapping/network.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* With fewer entries, comparing one by one is as fast. */
#define NETWORK_INDEX_MIN 8

struct network_key {
    struct network network;
    uint32_t entry; /* its index in the table */
};

/* The keys of networks with the same prefix length. */
struct network_slice {
    bool is_ipv6;
    uint8_t n_bits;
    uint32_t first;
    uint32_t n_keys;
};

struct network_index {
    uint32_t first;                 /* the entries from this one on ... */
    uint32_t end;                   /* ... and before this one */
    const struct network_key *keys; /* in the arena, as are the slices */
    const struct network_slice *slices;
    size_t n_slices;
};

/* Makes an index of the keys, which it sorts; they are of entries from `first` to before `end`.
 * Returns 0 or -ENOMEM. */
int network_index_build(struct network_key *keys, uint32_t first, uint32_t end, struct arena *arena,
                        struct network_index *ret);

enum network_index_outcome {
    NETWORK_INDEX_NONE,
    NETWORK_INDEX_FOUND,
    NETWORK_INDEX_UNSURE, /* the text is an unusual spelling of an address: compare one by one */
};

/* Finds the first entry, from `from` on, whose network contains the address that the whole text is.
 */
enum network_index_outcome network_index_find(const struct network_index *index, const char *text,
                                              size_t length, uint32_t from, uint32_t *ret);
