/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Finds the first of many networks that an address is in. Adjacent entries of a table that are
 * nothing but networks or addresses are indexed, so that a table of a hundred thousand answers as
 * fast as one of ten. */
#pragma once

#include "mapping/arena.h"
#include "mapping/network.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Fewer entries are compared one by one as fast. */
#define NETWORK_INDEX_MIN 8

struct network_key {
    struct network network;
    uint32_t entry; /* its place in the table */
};

/* The keys whose networks are equally long. */
struct network_slice {
    bool is_ipv6;
    uint8_t n_bits;
    uint32_t first;
    uint32_t n_keys;
};

struct network_index {
    uint32_t first;                 /* the entries from this … */
    uint32_t end;                   /* … to before this */
    const struct network_key *keys; /* the arena's, like the slices */
    const struct network_slice *slices;
    size_t n_slices;
};

/* Sorts the keys, which are of the entries from `first` to before `end`, into an index. Returns 0
 * or -ENOMEM. */
int network_index_build(struct network_key *keys, uint32_t first, uint32_t end, struct arena *arena,
                        struct network_index *ret);

enum network_index_outcome {
    NETWORK_INDEX_NONE,
    NETWORK_INDEX_FOUND,
    NETWORK_INDEX_UNSURE, /* the text is an odd spelling of an address: compare one by one */
};

/* The first entry, of those from `from` on, whose network the whole text is an address of. */
enum network_index_outcome network_index_find(const struct network_index *index, const char *text,
                                              size_t length, uint32_t from, uint32_t *ret);
