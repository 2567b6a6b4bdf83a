/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "access/throttle_full.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>

static uint64_t throttle_full_total(const struct throttle_row *row)
{
    return (uint64_t)row->view.own + row->view.others;
}

/* Of those whose rate is 0, one that has counted nothing is of no interest. */
static bool throttle_full_is(const struct throttle_row *row)
{
    uint64_t total = throttle_full_total(row);

    return total > 0 && total >= row->key.max_rate;
}

/* For qsort(): the more above the rate, the earlier; of equal ones, the one that has its entry for
 * longer. */
static int throttle_full_compare(const void *left, const void *right)
{
    const struct throttle_row *a = left, *b = right;
    uint64_t a_above = throttle_full_total(a) - a->key.max_rate;
    uint64_t b_above = throttle_full_total(b) - b->key.max_rate;

    if (a_above != b_above)
        return a_above > b_above ? -1 : 1;
    return a->view.number < b->view.number ? -1 : 1;
}

/* Moves row i down until none of those below it comes after it: rows[0] of a heap is the last. */
static void throttle_full_sift(struct throttle_row *rows, size_t n, size_t i)
{
    for (size_t below; (below = 2 * i + 1) < n; i = below) {
        if (below + 1 < n && throttle_full_compare(&rows[below + 1], &rows[below]) > 0)
            below++;
        if (throttle_full_compare(&rows[below], &rows[i]) < 0)
            break;
        struct throttle_row row = rows[i];
        rows[i] = rows[below];
        rows[below] = row;
    }
}

size_t throttle_full(struct throttle *throttle, uint64_t now_usec, struct throttle_row *rows,
                     size_t n_max, size_t *ret_n)
{
    size_t n = 0, n_full = 0;

    assert(n_max > 0);
    for (uint32_t number = 1; number <= throttle_n_keys(throttle); number++) {
        struct throttle_row row;

        throttle_look(throttle, number, now_usec, &row.key, &row.view);
        if (!throttle_full_is(&row))
            continue;
        n_full++;
        if (n < n_max) {
            rows[n++] = row;
            for (size_t i = n / 2; n == n_max && i > 0; i--)
                throttle_full_sift(rows, n, i - 1);
        } else if (throttle_full_compare(&row, &rows[0]) < 0) {
            rows[0] = row;
            throttle_full_sift(rows, n, 0);
        }
    }
    qsort(rows, n, sizeof(*rows), throttle_full_compare);
    *ret_n = n;
    return n_full;
}
