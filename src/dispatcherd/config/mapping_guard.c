/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/config/mapping_guard.h"

#include <errno.h>
#include <sys/stat.h>

static bool decides(const struct mapping_set *set)
{
    const struct mapping_table *table = set ? mapping_set_find(set, MAPPING_PORT_ACCESS) : NULL;

    return table && table->n_entries > 0;
}

static const char *fault(const struct mapping_set *set)
{
    if (set->files.n_items == 0)
        return "the file does not exist";
    if (set->is_empty)
        return "the file is empty";
    if (mapping_set_find(set, MAPPING_PORT_ACCESS))
        return MAPPING_PORT_ACCESS " has no entries";
    return "there is no table " MAPPING_PORT_ACCESS;
}

int mapping_guard(const struct mapping_set *in_force, const struct mapping_set *new_set,
                  const char *path, struct problem_list *problems)
{
    if (!decides(in_force) || decides(new_set))
        return 0;
    problem_add(problems, PROBLEM_ERROR, path, 0,
                "%s; the tables in force stay; to serve everybody from now on, "
                "give " MAPPING_PORT_ACCESS " the entry: * $Y",
                fault(new_set));
    return -EINVAL;
}

void mapping_guard_check_link(const char *path, struct problem_list *problems)
{
    struct stat st;

    if (lstat(path, &st) == 0 && S_ISLNK(st.st_mode) && stat(path, &st) < 0 && errno == ENOENT)
        problem_add(problems, PROBLEM_WARNING, path, 0,
                    "the symbolic link leads nowhere, so every client is admitted");
}
