/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* How many connections of a service each address has, and each network (source.h). */
#pragma once

#include "base/address.h"

#include <stdbool.h>
#include <stdint.h>

struct concurrency;
struct siphash_key;

/* Of a service; written by this module alone. */
struct addresses {
    struct concurrency *hosts;    /* owned */
    struct concurrency *networks; /* owned */
    /* Called when an address has another number of connections; NULL: nobody is. */
    void (*changed)(struct addresses *addresses, const struct address *peer);
};

/* Whether one connection is counted for its address and for its network. All false in the
 * beginning; written by this module alone. */
struct counted {
    bool is_host;
    bool is_network;
};

/* Returns 0 or -ENOMEM; addresses_clear() may be called in either case. */
int addresses_init(struct addresses *addresses, const struct siphash_key *key);
void addresses_clear(struct addresses *addresses);

/* From now on `changed` is called. */
void addresses_watch(struct addresses *addresses,
                     void (*changed)(struct addresses *addresses, const struct address *peer));

/* Counts a connection of `peer` unless it is counted already. Sets how many connections its address
 * and its network have, this one included; 0 if they cannot be counted. */
void addresses_add(struct addresses *addresses, const struct address *peer, struct counted *counted,
                   uint32_t *ret_of_address, uint32_t *ret_of_network);

/* Counts the connection no longer. */
void addresses_remove(struct addresses *addresses, const struct address *peer,
                      struct counted *counted);
