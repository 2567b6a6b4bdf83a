/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Writes unit files below a folder. */
#pragma once

#include "generator/units.h"

/* Called for each file that could not be written. */
typedef void (*write_failed)(const char *path, int error);

/* Writes all files of the list below `directory`, making folders if necessary. A file that cannot
 * be written is reported to `failed`, and the others are still written. Never writes through a link
 * or over an existing file. Returns 0, or a negative errno if the folder itself cannot be opened.
 */
int write_units(const char *directory, const struct unit_list *list, write_failed failed);
