/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Reads the configuration without being held up: within a time limit (base/limited_call.h). */
#pragma once

#include "dispatcherd/core/config_version.h"

/* How long a file system may not answer: at a reload, for which the main loop stands still, and at
 * the start. Time in which the thread computes does not count: hundreds of thousands of entries may
 * take seconds on a busy host. */
#define CONFIG_READING_RELOAD_USEC UINT64_C(2000000)
#define CONFIG_READING_START_USEC  UINT64_C(20000000)

/* As config_version_read(); `problems` is empty. If the files cannot be read within the limit, an
 * error says so and -ETIMEDOUT is returned; the thread goes on alone, and until it has come to an
 * end each other reading is refused in the same way at once. */
int config_reading_read(const char *config_file, const char *mapping_file, bool check_images,
                        uint64_t limit_usec, struct problem_list *problems,
                        struct config_version **ret);
