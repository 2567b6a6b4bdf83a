/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "mapping/set.h"

#include <assert.h>
#include <stdlib.h>

struct mapping_set *mapping_set_ref(struct mapping_set *set)
{
    assert(set->n_references > 0);
    set->n_references++;
    return set;
}

struct mapping_set *mapping_set_unref(struct mapping_set *set)
{
    if (!set)
        return NULL;
    assert(set->n_references > 0);
    if (--set->n_references > 0)
        return NULL;
    for (size_t i = 0; i < set->n_tables; i++) {
        free(set->tables[i]->entries);
        free(set->tables[i]->indexes);
        free(set->tables[i]);
    }
    free(set->tables);
    str_list_clear(&set->files);
    arena_clear(&set->arena);
    free(set);
    return NULL;
}

void mapping_set_cleanup(struct mapping_set **set)
{
    *set = mapping_set_unref(*set);
}

struct mapping_table *mapping_set_find(const struct mapping_set *set, const char *name)
{
    for (size_t i = 0; i < set->n_tables; i++)
        if (str_equal_nocase(set->tables[i]->name, name))
            return set->tables[i];
    return NULL;
}
