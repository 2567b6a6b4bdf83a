/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Finds the name that somebody meant. */
#pragma once

#include <stddef.h>

/* The best of the names offered so far; NULL while none is near enough. */
struct nearest {
    const char *name; /* as written; the caller's */
    const char *best; /* the caller's */
    unsigned best_distance;
};

struct nearest nearest_init(const char *name);

/* Takes `candidate` if it is nearer than what was offered before: by letters missing, added,
 * wrong or swapped, without regard to case, and at most a third of them. */
void nearest_offer(struct nearest *nearest, const char *candidate);
