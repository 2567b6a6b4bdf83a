/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What cannot be seen from one line alone: options against each other, services against each
 * other, and the system (dispatcher.cnf(5)). */
#pragma once

#include "config/scope.h"

/* Brings the effective options of a service into line with each other, saying what it lowers, and
 * gives those their values whose default depends on others. An error is the section's. */
void check_section(struct scope *section, struct problem_list *problems);

/* Adds an error for each enabled service that wants an address and port which an earlier one has.
 * is_broken[i] is set for service i, the later one. Returns 0 or -ENOMEM. */
int check_clashes(const struct service_options *services, size_t n_services, bool is_broken[],
                  struct problem_list *problems);
