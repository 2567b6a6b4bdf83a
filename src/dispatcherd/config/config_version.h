/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* One reading of dispatcher.cnf and of the mapping file, kept as long as something uses it: after a
 * reload, a service that is being removed still has the options it was started with. */
#pragma once

#include "config/options.h"
#include "dispatcherd/config/config_hash.h"
#include "files/problem.h"
#include "mapping/set.h"

struct config_version {
    struct config config;
    struct mapping_set *mappings; /* one reference */
    int mapping_copy; /* the mapping file with what it includes, sealed; owned; or a negative errno
                       */
    char config_hash[CONFIG_HASH_MAX]; /* "": not known, as the next one */
    char mapping_hash[CONFIG_HASH_MAX];
    unsigned n_users;
};

/* Reads both files, which may take as long as their file system does, and adds all that is wrong
 * with them to the problems. The caller becomes the first user of *ret. With `check_images`, a
 * program that cannot be run is an error. Returns 0, -EINVAL if there are errors, or another
 * negative errno. */
int config_version_read(const char *config_file, const char *mapping_file, bool check_images,
                        struct problem_list *problems, struct config_version **ret);

/* Takes over *config (empty afterwards) and the reference to `mappings`, which may be NULL; the
 * caller is the first user. Returns NULL when out of memory; everything is still the caller's then.
 */
struct config_version *config_version_new(struct config *config, struct mapping_set *mappings);

/* Protects what is in force from accidents: adds an error if the new file has no service and the
 * one in force has, and the errors of mapping_guard(). Returns 0 or -EINVAL. */
int config_version_guard(const struct config_version *in_force,
                         const struct config_version *version, const char *config_file,
                         const char *mapping_file, struct problem_list *problems);

/* Adds a user. Returns the version. */
struct config_version *config_version_ref(struct config_version *version);

/* Removes a user; the last one frees it. NULL is allowed. */
void config_version_unref(struct config_version *version);

/* Logs what was read, if DEBUG asks for it. */
void config_version_tell(const struct config_version *version, uint32_t debug);
