/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "simulate/happenings.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

static bool comes_before(const struct happening *a, const struct happening *b)
{
    return a->at != b->at ? a->at < b->at : a->number < b->number;
}

static void swap(struct happening *a, struct happening *b)
{
    struct happening item = *a;

    *a = *b;
    *b = item;
}

int happenings_add(struct happenings *happenings, struct happening happening)
{
    if (happenings->n_items == happenings->n_room) {
        size_t n_room = happenings->n_room > 0 ? 2 * happenings->n_room : 64;
        struct happening *items = reallocarray(happenings->items, n_room, sizeof(*items));

        if (!items)
            return -ENOMEM;
        happenings->items = items;
        happenings->n_room = n_room;
    }
    struct happening *items = happenings->items;
    size_t i = happenings->n_items++;
    happening.number = happenings->n_added++;
    items[i] = happening;
    for (; i > 0 && comes_before(&items[i], &items[(i - 1) / 2]); i = (i - 1) / 2)
        swap(&items[i], &items[(i - 1) / 2]);
    return 0;
}

const struct happening *happenings_first(const struct happenings *happenings)
{
    return happenings->n_items > 0 ? &happenings->items[0] : NULL;
}

struct happening happenings_take(struct happenings *happenings)
{
    struct happening *items = happenings->items;

    assert(happenings->n_items > 0);
    struct happening first = items[0];
    items[0] = items[--happenings->n_items];
    for (size_t i = 0;;) {
        size_t least = i;

        for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < happenings->n_items; child++)
            if (comes_before(&items[child], &items[least]))
                least = child;
        if (least == i)
            return first;
        swap(&items[i], &items[least]);
        i = least;
    }
}

void happenings_clear(struct happenings *happenings)
{
    free(happenings->items);
    *happenings = (struct happenings){0};
}
