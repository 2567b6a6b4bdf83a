/* Looks for what is wrong with PORT_ACCESS and the tables that it calls, once all are read. Nothing
 * is said about the others. */
#pragma once

#include "config/problem.h"
#include "mapping/set.h"

/* Finds the tables of all calls, marks those that PORT_ACCESS uses, and adds the problems of these:
 * errors of elements that are not available (spec 7.4), of tables that do not exist, call
 * themselves or nest too deep (7.5); warnings of entries that end the mapping by failing (7.2), and
 * of flags without effect (5.3). */
void check_tables(struct mapping_set *set, struct problem_list *problems);
