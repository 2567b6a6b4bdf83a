/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "access/addresses.h"

#include "access/concurrency.h"
#include "access/source.h"

/* More connections than one process has descriptors for. The memory is taken as it is used. */
#define ADDRESSES_MAX (UINT32_C(1) << 20)

int addresses_init(struct addresses *addresses, const struct siphash_key *key)
{
    int r = concurrency_new(ADDRESSES_MAX, key, &addresses->hosts);

    return r < 0 ? r : concurrency_new(ADDRESSES_MAX, key, &addresses->networks);
}

void addresses_clear(struct addresses *addresses)
{
    concurrency_free(addresses->hosts);
    concurrency_free(addresses->networks);
    *addresses = (struct addresses){0};
}

void addresses_watch(struct addresses *addresses,
                     void (*changed)(struct addresses *addresses, const struct address *peer))
{
    addresses->changed = changed;
}

static uint32_t addresses_count(struct concurrency *concurrency, const struct address *address,
                                bool *is_counted)
{
    if (*is_counted)
        return concurrency_lookup(concurrency, address);
    uint32_t n = concurrency_add(concurrency, address);
    *is_counted = n > 0;
    return n;
}

void addresses_add(struct addresses *addresses, const struct address *peer, struct counted *counted,
                   uint32_t *ret_of_address, uint32_t *ret_of_network)
{
    const struct address network = source_network(peer);
    bool is_new = !counted->is_host;

    *ret_of_address = addresses_count(addresses->hosts, peer, &counted->is_host);
    if (is_new && counted->is_host && addresses->changed)
        addresses->changed(addresses, peer);
    *ret_of_network = addresses_count(addresses->networks, &network, &counted->is_network);
}

void addresses_remove(struct addresses *addresses, const struct address *peer,
                      struct counted *counted)
{
    const struct address network = source_network(peer);

    if (counted->is_host)
        concurrency_remove(addresses->hosts, peer);
    if (counted->is_host && addresses->changed)
        addresses->changed(addresses, peer);
    if (counted->is_network)
        concurrency_remove(addresses->networks, &network);
    *counted = (struct counted){0};
}
