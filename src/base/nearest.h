/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Finds the known name that was most likely meant by a misspelled one. */
#pragma once

#include <stddef.h>

/* The best of the candidates so far. */
struct nearest {
    const char *name; /* the misspelled one; the caller's */
    const char *best; /* the caller's; NULL: none is near enough */
    unsigned best_distance;
};

struct nearest nearest_init(const char *name);

/* Takes `candidate` if it is nearer than the candidates before. Distance is the number of letters
 * that are missing, added, wrong or swapped, without regard to case; at most a third of the name's.
 */
void nearest_offer(struct nearest *nearest, const char *candidate);
