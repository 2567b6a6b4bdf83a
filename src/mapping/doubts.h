/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Warns of what is in order and can't be meant: tables and entries of a mapping file that let in
 * everybody, or decide about nobody, by a slip. */
#pragma once

#include "files/problem.h"
#include "mapping/set.h"

/* Adds warnings about the set that was read from `path` and has its calls resolved
 * (check_tables()). Returns 0 or -ENOMEM. */
int doubts_add(const struct mapping_set *set, const char *path, struct problem_list *problems);
