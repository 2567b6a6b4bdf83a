/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "base/tally.h"

#include "base/str.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define SHOWN_MAX 5

void tally_add(struct tally *tally, const char *name)
{
    size_t i;

    tally->n_all++;
    for (i = 0; i < tally->n_items; i++)
        if (strncmp(tally->items[i].name, name, TALLY_NAME_BYTES - 1) == 0)
            break;
    if (i == TALLY_ITEMS_MAX)
        return;
    if (i == tally->n_items) {
        snprintf(tally->items[i].name, TALLY_NAME_BYTES, "%s", name);
        tally->items[i].n = 0;
        tally->n_items++;
    }
    tally->items[i].n++;
}

static const struct tally_item *most_of(const struct tally *tally,
                                        const bool is_shown[TALLY_ITEMS_MAX])
{
    const struct tally_item *most = NULL;

    for (size_t i = 0; i < tally->n_items; i++)
        if (!is_shown[i] && (!most || tally->items[i].n > most->n))
            most = &tally->items[i];
    return most;
}

const char *tally_format(const struct tally *tally, char text[TALLY_TEXT_BYTES])
{
    struct str_buffer buffer = str_buffer_init(text, TALLY_TEXT_BYTES);
    bool is_shown[TALLY_ITEMS_MAX] = {false};
    uint64_t n_rest = tally->n_all;
    const struct tally_item *most;

    for (int i = 0; i < SHOWN_MAX && (most = most_of(tally, is_shown)); i++) {
        is_shown[most - tally->items] = true;
        n_rest -= most->n;
        str_buffer_add(&buffer, "%s%" PRIu64 " %s", i > 0 ? ", " : "", most->n, most->name);
    }
    if (n_rest > 0)
        str_buffer_add(&buffer, " and %" PRIu64 " %s", n_rest,
                       str_plural(n_rest, "other", "others"));
    return text;
}

void tally_clear(struct tally *tally)
{
    tally->n_items = 0;
    tally->n_all = 0;
}
