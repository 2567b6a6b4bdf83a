/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Checks that need more than one line: options against each other, services against each other, and
 * the system (dispatcher.cnf(5)). */
#pragma once

#include "config/scope.h"

/* The kernel's limit of a listen queue, above which BACKLOG has no effect; UINT_MAX if it is
 * unknown. */
unsigned check_somaxconn(void);

/* Makes the effective options of a service consistent, reporting what it lowers, and sets those
 * whose default depends on others. If there is an error, the section is broken. */
void check_section(struct scope *section, struct problem_list *problems);

/* Adds an error for each enabled service that wants the address and port of an earlier one, and
 * sets is_broken[i] for that service i. Returns 0 or -ENOMEM. */
int check_clashes(const struct service_options *services, size_t n_services, bool is_broken[],
                  struct problem_list *problems);
