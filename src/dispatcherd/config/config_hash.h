/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* A short text for a whole configuration, by which an administrator sees that two hosts differ.
 * Equal configurations have equal ones, on every host and in every version that has the same
 * options. */
#pragma once

#include "config/options.h"

/* Sixteen hexadecimal digits, with their NUL. */
#define CONFIG_HASH_MAX 17

/* Of the effective options of all services and of the dispatcher: comments, blanks, the order of
 * services and options, and whether a default was written do not matter; nor does FLEET_NAME, which
 * is another one on each host. Another PARAMETER is seen in 255 of 256 cases, see there. Without
 * memory the text is "". */
void config_hash(const struct config *config, char text[CONFIG_HASH_MAX]);

/* Of the lines of a mapping file, without comments, blank lines and blanks at the ends of lines.
 * The order of entries matters. `fd` is a memory file; if it cannot be read, the text is "". */
void config_hash_mappings(int fd, char text[CONFIG_HASH_MAX]);
