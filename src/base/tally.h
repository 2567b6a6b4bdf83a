/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Counts how often each of a few things was seen, for one line about many. Pure and bounded: what
 * has no room is counted as "others". */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum {
    TALLY_ITEMS_MAX = 64,
    TALLY_NAME_BYTES = 96, /* a name is cut to this, the NUL included */
    TALLY_TEXT_BYTES = 640,
};

struct tally {
    struct tally_item {
        char name[TALLY_NAME_BYTES];
        uint64_t n;
    } items[TALLY_ITEMS_MAX];
    size_t n_items;
    uint64_t n_all; /* including those that had no room */
};

void tally_add(struct tally *tally, const char *name);

/* Names the five that were seen most, and the others: "4000 A, 213 B and 12 others". */
const char *tally_format(const struct tally *tally, char text[TALLY_TEXT_BYTES]);

void tally_clear(struct tally *tally);
