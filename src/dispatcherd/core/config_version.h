/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* One reading of dispatcher.cnf and of the mapping file, kept for as long as anybody uses it: after
 * a reload a service that is going still has the options that it was started with. */
#pragma once

#include "config/options.h"
#include "files/problem.h"
#include "mapping/set.h"

struct config_version {
    struct config config;
    struct mapping_set *mappings; /* one reference */
    int mapping_copy; /* the mapping file with what it includes, sealed; owned; or a negative errno
                       */
    unsigned n_users;
};

/* Reads both files, which may take as long as their file system does; adds all that is wrong with
 * them to the problems, and gives *ret to its first user. With `check_images` a program that cannot
 * be run is an error too. Returns 0, -EINVAL if there are errors, or another negative errno. */
int config_version_read(const char *config_file, const char *mapping_file, bool check_images,
                        struct problem_list *problems, struct config_version **ret);

/* Takes over *config (empty afterwards) and, with success, the reference to `mappings`, which may
 * be NULL; the caller is the first user. Returns NULL when out of memory; all is still the caller's
 * then. */
struct config_version *config_version_new(struct config *config, struct mapping_set *mappings);

/* One more user. Returns the version. */
struct config_version *config_version_ref(struct config_version *version);

/* One user less; the last one frees it. NULL is allowed. */
void config_version_unref(struct config_version *version);

/* Tells, if DEBUG asks for it, what was read. */
void config_version_tell(const struct config_version *version, uint32_t debug);
