/* The last configuration that was good: kept in the store, for a start onto a broken file while
 * workers live (design, decision 4). */
#pragma once

#include "dispatcherd/config_version.h"

/* Writes the configuration to memory. Returns the sealed descriptor, which is the caller's, or a
 * negative errno. */
int last_config_write(const struct config *config);

/* The same for a mapping file; files that it includes are not part of it, and read anew. Returns
 * -ENOENT where there is no such file. */
int last_config_copy(const char *mapping_file);

/* Reads both back; a mapping_fd of -1 is an empty file. Returns 0 with *ret, whose first user is
 * the caller, or a negative errno. */
int last_config_read(int config_fd, int mapping_fd, struct config_version **ret);
