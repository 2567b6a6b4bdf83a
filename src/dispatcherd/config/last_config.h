/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Keeps the last valid configuration in the store, for a start with a broken file while workers are
 * alive. */
#pragma once

#include "dispatcherd/config/config_version.h"

/* Writes the configuration to memory. Returns the sealed descriptor, which is the caller's, or a
 * negative errno. */
int last_config_write(const struct config *config);

/* Reads it back, with the mapping_copy of its version; a mapping_fd of -1 means an empty file.
 * Returns 0 with *ret, whose first user is the caller, or a negative errno. */
int last_config_read(int config_fd, int mapping_fd, struct config_version **ret);
