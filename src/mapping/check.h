/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Checks PORT_ACCESS and the tables that it calls, after all were read. Other tables are not
 * checked. */
#pragma once

#include "files/problem.h"
#include "mapping/set.h"

/* Resolves all calls, marks the tables that PORT_ACCESS uses, and adds the problems of these.
 * Errors: elements that are not available (dispatcher-mappings(5)); tables that do not exist, that
 * call themselves, or that nest too deep. Warnings: entries that end the mapping by failing, and
 * flags without effect. */
void check_tables(struct mapping_set *set, struct problem_list *problems);
