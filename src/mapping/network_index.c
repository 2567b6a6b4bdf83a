/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "mapping/network_index.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Keys are sorted by family, prefix length, network, and place in the file. For each prefix length
 * that occurs, a binary search finds the first entry for the address cut to that length; of these,
 * the first in the file is the result. */

static int compare_numbers(uint32_t a, uint32_t b)
{
    return a < b ? -1 : a > b;
}

static int compare_keys(const void *left, const void *right)
{
    const struct network_key *a = left, *b = right;

    if (a->network.is_ipv6 != b->network.is_ipv6)
        return a->network.is_ipv6 ? 1 : -1;
    if (a->network.n_bits != b->network.n_bits)
        return a->network.n_bits < b->network.n_bits ? -1 : 1;
    int order = memcmp(a->network.bytes, b->network.bytes, sizeof(a->network.bytes));
    return order != 0 ? order : compare_numbers(a->entry, b->entry);
}

static bool same_slice(const struct network *a, const struct network *b)
{
    return a->is_ipv6 == b->is_ipv6 && a->n_bits == b->n_bits;
}

int network_index_build(struct network_key *keys, uint32_t first, uint32_t end, struct arena *arena,
                        struct network_index *ret)
{
    struct network_slice slices[33 + 129];
    size_t n_slices = 0, n_keys = end - first;

    qsort(keys, n_keys, sizeof(keys[0]), compare_keys);
    for (size_t i = 0; i < n_keys; i++) {
        if (i == 0 || !same_slice(&keys[i].network, &keys[i - 1].network))
            slices[n_slices++] = (struct network_slice){
                .is_ipv6 = keys[i].network.is_ipv6,
                .n_bits = keys[i].network.n_bits,
                .first = (uint32_t)i,
            };
        slices[n_slices - 1].n_keys++;
    }
    struct network_index index = {
        .first = first,
        .end = end,
        .keys = arena_copy(arena, keys, n_keys * sizeof(keys[0])),
        .slices = arena_copy(arena, slices, n_slices * sizeof(slices[0])),
        .n_slices = n_slices,
    };
    if (!index.keys || !index.slices)
        return -ENOMEM;
    *ret = index;
    return 0;
}

/* The first key of the slice that is not less than `wanted`; NULL: all are. */
static const struct network_key *lower_bound(const struct network_key *keys, size_t n_keys,
                                             const struct network_key *wanted)
{
    size_t low = 0, high = n_keys;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (compare_keys(&keys[middle], wanted) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < n_keys ? &keys[low] : NULL;
}

enum network_index_outcome network_index_find(const struct network_index *index, const char *text,
                                              size_t length, uint32_t from, uint32_t *ret)
{
    uint8_t address[16];
    bool is_ipv6 = !network_read_ipv4(text, length, address);
    uint32_t found = UINT32_MAX;

    if (is_ipv6 && !network_read_ipv6(text, length, address))
        return NETWORK_INDEX_NONE;
    if (is_ipv6 && !network_is_canonical_ipv6(text, length, address))
        return NETWORK_INDEX_UNSURE;
    for (size_t i = 0; i < index->n_slices; i++) {
        const struct network_slice *slice = &index->slices[i];
        struct network_key wanted = {.network = {.is_ipv6 = is_ipv6, .n_bits = slice->n_bits},
                                     .entry = from};

        if (slice->is_ipv6 != is_ipv6)
            continue;
        memcpy(wanted.network.bytes, address, sizeof(address));
        network_mask(&wanted.network);
        const struct network_key *key =
            lower_bound(index->keys + slice->first, slice->n_keys, &wanted);
        if (key && key->entry < found &&
            memcmp(key->network.bytes, wanted.network.bytes, sizeof(address)) == 0)
            found = key->entry;
    }
    if (found == UINT32_MAX)
        return NETWORK_INDEX_NONE;
    *ret = found;
    return NETWORK_INDEX_FOUND;
}
