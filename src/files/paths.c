/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "files/paths.h"

#include "base/macro.h"
#include "base/str.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A logical name of the MTA or of PMDF, and the member of struct config_paths that it stands for.
 */
static const struct {
    const char *prefix;
    size_t offset;
} logical_names[] = {
    {"IMTA_BIN:", offsetof(struct config_paths, worker_dir)},
    {"IMTA_LIB:", offsetof(struct config_paths, worker_dir)},
    {"PMDF_EXE:", offsetof(struct config_paths, worker_dir)},
    {"IMTA_LOG:", offsetof(struct config_paths, log_dir)},
    {"PMDF_LOG:", offsetof(struct config_paths, log_dir)},
    {"IMTA_TABLE:", offsetof(struct config_paths, config_dir)},
    {"PMDF_TABLE:", offsetof(struct config_paths, config_dir)},
};

struct config_paths config_paths_default(void)
{
    static const char *const variables[] = {"IMTA_DISPATCHER_DEBUG", "PMDF_DISPATCHER_DEBUG"};
    /* Set in a unit, or by a person who tries it. */
    const char *log_dir = getenv("LOGS_DIRECTORY"), *state_dir = getenv("STATE_DIRECTORY");
    struct config_paths paths = {
        .worker_dir = WORKER_DIR,
        .config_dir = CONFIG_DIR,
        .log_dir = log_dir && *log_dir == '/' ? log_dir : LOG_DIR,
        .state_dir = state_dir && *state_dir == '/' ? state_dir : STATE_DIR,
    };

    for (size_t i = 0; i < ELEMENTSOF(variables) && !paths.debug_env; i++) {
        const char *value = getenv(variables[i]);

        if (value && *value) {
            paths.debug_env = value;
            paths.debug_env_name = variables[i];
        }
    }
    return paths;
}

/* The length of "NAME:" at the start of the text, without the colon; 0 if there is none. */
static size_t prefix_length(const char *name)
{
    size_t length = strcspn(name, ":/");

    return name[length] == ':' ? length : 0;
}

static char *join(const char *dir, const char *name)
{
    size_t size = strlen(dir) + strlen(name) + 2;
    char *path = malloc(size);

    if (path)
        snprintf(path, size, "%s/%s", dir, name);
    return path;
}

int paths_resolve(const struct config_paths *paths, const char *relative_dir, const char *name,
                  char **ret, char reason[PATHS_REASON_MAX])
{
    const char *dir = relative_dir, *rest = name;
    size_t length = prefix_length(name);

    if (length > 0 || name[0] == ':') {
        dir = NULL;
        for (size_t i = 0; i < ELEMENTSOF(logical_names) && !dir; i++)
            if (str_starts_nocase(name, logical_names[i].prefix)) {
                memcpy(&dir, (const char *)paths + logical_names[i].offset, sizeof(dir));
                rest = name + strlen(logical_names[i].prefix);
            }
        if (!dir) {
            snprintf(
                reason, PATHS_REASON_MAX,
                "'%.30s' is not a known place; use IMTA_BIN:, IMTA_LOG:, IMTA_TABLE: or a path "
                "without a colon",
                name);
            return -EINVAL;
        }
        if (*rest == '/' || !*rest) {
            snprintf(reason, PATHS_REASON_MAX,
                     "a file's name must follow the colon, as in "
                     "IMTA_BIN:tcp_smtp_server");
            return -EINVAL;
        }
    }
    if (*rest == '/' || !dir)
        *ret = strdup(rest);
    else
        *ret = join(dir, rest);
    return *ret ? 0 : -ENOMEM;
}
