/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/config/config_version.h"

#include "base/fd.h"
#include "base/memfd.h"
#include "config/check.h"
#include "config/load.h"
#include "dispatcherd/config/mapping_guard.h"
#include "dispatcherd/report/report.h"
#include "mapping/metermaid.h"
#include "protocol/debug.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

/* Finishes the copy. Returns 0 or a negative errno. */
static int complete_copy(FILE *copy, int fd)
{
    if (fflush(copy) != 0)
        return -errno;
    return ferror(copy) ? -EIO : memfd_freeze(fd);
}

/* Reads the mapping file, and keeps a copy of it for a successor. Without memory for the copy the
 * mappings are used all the same, and *ret_copy is a negative errno. */
static int read_mappings(const char *file, struct problem_list *problems, struct mapping_set **ret,
                         int *ret_copy)
{
    _cleanup_fd_ int fd = memfd_new("dispatcherd-mappings");
    _cleanup_fd_ int writing = fd < 0 ? fd : fcntl(fd, F_DUPFD_CLOEXEC, 0);
    FILE *copy = writing < 0 ? NULL : fdopen(writing, "w");
    int copied = fd < 0 ? fd : copy ? 0 : -errno;

    if (copy)
        (void)take_fd(&writing);
    int r = mapping_set_load_and_copy(file, copy, problems, ret);
    if (r == 0 && copy)
        copied = complete_copy(copy, fd);
    if (copy)
        fclose(copy);
    *ret_copy = copied < 0 ? copied : take_fd(&fd);
    return r;
}

int config_version_read(const char *config_file, const char *mapping_file, bool check_images,
                        struct problem_list *problems, struct config_version **ret)
{
    const struct config_paths paths = config_paths_default();
    _cleanup_mapping_set_ struct mapping_set *mappings = NULL;
    _cleanup_fd_ int copy = -EBADF;
    struct config config = {0};

    /* Both files are read in any case, so that an error in one does not hide those in the other. */
    int r_config = config_load(config_file, &paths, problems, &config);
    int r = read_mappings(mapping_file, problems, &mappings, &copy);
    if (r_config == 0 && r == 0 && config.fleet.n_items == 0)
        metermaid_warn_without_fleet(mappings, problems);
    mapping_guard_check_link(mapping_file, problems);
    if (r_config == 0 && check_images)
        config_check_images(&config, problems);
    if (r_config < 0)
        r = r_config;
    if (r == 0 && problems->n_errors > 0)
        r = -EINVAL;
    if (r == 0) {
        *ret = config_version_new(&config, mappings);
        r = *ret ? 0 : -ENOMEM;
    }
    if (r == 0) {
        mappings = NULL;
        (*ret)->mapping_copy = take_fd(&copy);
        config_hash_mappings((*ret)->mapping_copy, (*ret)->mapping_hash);
    }
    config_clear(&config);
    return r;
}

struct config_version *config_version_new(struct config *config, struct mapping_set *mappings)
{
    struct config_version *version = calloc(1, sizeof(*version));

    if (!version)
        return NULL;
    version->config = *config;
    version->mappings = mappings;
    version->mapping_copy = -EBADF;
    version->n_users = 1;
    config_hash(&version->config, version->config_hash);
    *config = (struct config){0};
    return version;
}

int config_version_guard(const struct config_version *in_force,
                         const struct config_version *version, const char *config_file,
                         const char *mapping_file, struct problem_list *problems)
{
    int r = 0;

    /* An editor or a full disk may have truncated it. */
    if (in_force->config.n_services > 0 && version->config.n_services == 0) {
        problem_add(problems, PROBLEM_ERROR, config_file, 0,
                    "the file has no service; keeping those in force; to serve nothing, give each "
                    "section ENABLE=0");
        r = -EINVAL;
    }
    if (mapping_guard(in_force->mappings, version->mappings, mapping_file, problems) < 0)
        r = -EINVAL;
    return r;
}

struct config_version *config_version_ref(struct config_version *version)
{
    version->n_users++;
    return version;
}

void config_version_unref(struct config_version *version)
{
    if (!version || --version->n_users > 0)
        return;
    config_clear(&version->config);
    mapping_set_unref(version->mappings);
    fd_close(version->mapping_copy);
    free(version);
}

void config_version_tell(const struct config_version *version, uint32_t debug)
{
    const struct config *config = &version->config;

    if (!(debug & DEBUG_CONFIG))
        return;
    for (size_t i = 0; i < config->files.n_items; i++)
        report_debug(debug, DEBUG_CONFIG, &(struct subject){0}, "read %s", config->files.items[i]);
    for (size_t i = 0; i < config->n_services; i++) {
        const struct service_options *options = &config->services[i];
        const struct subject subject = {.service = options->name};

        report_debug(debug, DEBUG_CONFIG, &subject,
                     "%s:%u: %s; MIN_PROCS=%u MAX_PROCS=%u MIN_CONNS=%u MAX_CONNS=%u IMAGE=%s",
                     options->origin.file, options->origin.line, options->is_enabled ? "on" : "off",
                     options->min_procs, options->max_procs, options->min_conns, options->max_conns,
                     options->image);
    }
}
