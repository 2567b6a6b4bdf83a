/* Whether systemd has the units that dispatcher.cnf asks for (design, "What systemd 252 does"):
 * it reads them at daemon-reload only, and binds no socket while the daemon runs. */
#pragma once

#include "config/options.h"
#include "config/problem.h"

/* Compares the units that the generator would write for `config`, which was read from
 * `config_file`, with those that it has written, and adds a warning for each service whose differ:
 * with the command that is due. Does nothing where the generator did not run from that file.
 * Returns how many services differ, or -ENOMEM. */
int units_due(const struct config *config, const char *config_file, struct problem_list *problems);
