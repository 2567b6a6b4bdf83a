/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Looks for what is wrong with PORT_ACCESS and the tables that it calls, once all are read. Nothing
 * is said about the others. */
#pragma once

#include "files/problem.h"
#include "mapping/set.h"

/* Finds the tables of all calls, marks those that PORT_ACCESS uses, and adds the problems of these:
 * errors of elements that are not available (dispatcher-mappings(5)), of tables that do not exist,
 * call themselves or nest too deep; warnings of entries that end the mapping by failing, and of
 * flags without effect. */
void check_tables(struct mapping_set *set, struct problem_list *problems);
