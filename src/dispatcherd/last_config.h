/* The last configuration that was good: kept in the store, for a start onto a broken
 * dispatcher.cnf while workers live (design, decision 4). */
#pragma once

#include "config/options.h"

/* Writes the configuration to memory. Returns the sealed descriptor, which is the caller's, or a
 * negative errno. */
int last_config_write(const struct config *config);

/* Reads it back. Returns 0 or a negative errno. */
int last_config_read(int fd, struct config *ret);
