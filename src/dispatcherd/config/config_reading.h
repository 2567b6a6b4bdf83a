/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Reads the configuration within a time limit (base/limited_call.h), so that it does not block the
 * daemon. */
#pragma once

#include "dispatcherd/config/config_version.h"

/* How long a file system may take to answer: at a reload, for which the main loop stands still, and
 * at the start. The thread's processor time does not count: reading hundreds of thousands of
 * entries may take seconds on a busy host. */
#define CONFIG_READING_RELOAD_USEC UINT64_C(2000000)
#define CONFIG_READING_START_USEC  UINT64_C(20000000)

/* Like config_version_read(); `problems` must be empty. If the files cannot be read within the
 * limit, an error says so, and -ETIMEDOUT is returned. The thread goes on alone, and until it has
 * finished, each further reading fails in the same way at once. */
int config_reading_read(const char *config_file, const char *mapping_file, bool check_images,
                        uint64_t limit_usec, struct problem_list *problems,
                        struct config_version **ret);
