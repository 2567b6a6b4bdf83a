/* What cannot be seen from one line alone: options against each other, services against each
 * other, and the system (spec 2.6). */
#pragma once

#include "config/options.h"
#include "config/problem.h"

/* Brings the options of a service into line with each other, saying what it lowers, and gives
 * those their values whose default depends on others. */
void check_service(struct service_options *service, bool has_port_zero,
                   struct problem_list *problems);

/* Adds an error for each enabled service that wants an address and port which an earlier one has.
 * is_broken[i] is set for service i, the later one. Returns 0 or -ENOMEM. */
int check_clashes(const struct service_options *services, size_t n_services, bool is_broken[],
                  struct problem_list *problems);
