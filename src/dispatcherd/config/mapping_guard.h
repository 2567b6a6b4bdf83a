/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Protects access control from accidents: a mapping file that was truncated, emptied or removed
 * looks like one that admits everybody. */
#pragma once

#include "config/options.h"
#include "files/problem.h"
#include "mapping/set.h"

/* Adds an error if the new tables have no entry in PORT_ACCESS, and those in force (NULL: none)
 * have. Returns 0 or -EINVAL. */
int mapping_guard(const struct mapping_set *in_force, const struct mapping_set *new_set,
                  const char *path, struct problem_list *problems);

/* Adds a warning if the path is a dangling link. */
void mapping_guard_check_link(const char *path, struct problem_list *problems);
