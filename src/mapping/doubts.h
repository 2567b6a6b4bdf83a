/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Warns about what is valid but probably not intended: tables and entries of a mapping file that by
 * mistake admit everybody, or decide about nobody. */
#pragma once

#include "files/problem.h"
#include "mapping/set.h"

/* Adds warnings about the set that was read from `path`, after check_tables() has resolved its
 * calls. Returns 0 or -ENOMEM. */
int doubts_add(const struct mapping_set *set, const char *path, struct problem_list *problems);
