/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "base/nearest.h"

#include <ctype.h>
#include <limits.h>
#include <string.h>

/* Longer names are not compared: all known ones are shorter. */
#define NAME_MAX_COMPARED 32

struct nearest nearest_init(const char *name)
{
    return (struct nearest){.name = name, .best_distance = UINT_MAX};
}

static unsigned min(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* How many edits make one name of the other: the optimal string alignment distance. */
static unsigned distance(const char *a, const char *b)
{
    /* Row i holds the distances of the first i letters of a to each beginning of b. */
    unsigned rows[NAME_MAX_COMPARED + 1][NAME_MAX_COMPARED + 1];
    size_t length_a = strlen(a), length_b = strlen(b);

    for (size_t i = 0; i <= length_a; i++)
        rows[i][0] = (unsigned)i;
    for (size_t k = 0; k <= length_b; k++)
        rows[0][k] = (unsigned)k;
    for (size_t i = 1; i <= length_a; i++)
        for (size_t k = 1; k <= length_b; k++) {
            int x = toupper((unsigned char)a[i - 1]), y = toupper((unsigned char)b[k - 1]);
            unsigned edits = rows[i - 1][k - 1] + (x != y);

            edits = min(edits, min(rows[i - 1][k], rows[i][k - 1]) + 1);
            if (i > 1 && k > 1 && x == toupper((unsigned char)b[k - 2]) &&
                y == toupper((unsigned char)a[i - 2]))
                edits = min(edits, rows[i - 2][k - 2] + 1);
            rows[i][k] = edits;
        }
    return rows[length_a][length_b];
}

void nearest_offer(struct nearest *nearest, const char *candidate)
{
    size_t length = strlen(candidate);

    if (strlen(nearest->name) > NAME_MAX_COMPARED || length > NAME_MAX_COMPARED)
        return;
    unsigned edits = distance(nearest->name, candidate);
    if (edits * 3 <= length && edits < nearest->best_distance) {
        nearest->best = candidate;
        nearest->best_distance = edits;
    }
}
