/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Keeps access control from being lost by accident: a mapping file that was cut off, emptied or
 * removed is no other than one that lets in everybody. */
#pragma once

#include "config/options.h"
#include "files/problem.h"
#include "mapping/set.h"

/* Adds an error if the new tables have no entry in PORT_ACCESS and those in force (NULL: none)
 * have. Returns 0 or -EINVAL. */
int mapping_guard(const struct mapping_set *in_force, const struct mapping_set *new_set,
                  const char *path, struct problem_list *problems);

/* Adds a warning if the path is a link that leads nowhere. */
void mapping_guard_check_link(const char *path, struct problem_list *problems);
