/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The last configuration that was good: kept in the store, for a start onto a broken file while
 * workers live. */
#pragma once

#include "dispatcherd/core/config_version.h"

/* Writes the configuration to memory. Returns the sealed descriptor, which is the caller's, or a
 * negative errno. */
int last_config_write(const struct config *config);

/* Reads it back, with the mapping_copy of its version; a mapping_fd of -1 is an empty file. Returns
 * 0 with *ret, whose first user is the caller, or a negative errno. */
int last_config_read(int config_fd, int mapping_fd, struct config_version **ret);
