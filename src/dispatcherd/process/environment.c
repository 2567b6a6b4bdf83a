/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/process/environment.h"

#include "base/macro.h"
#include "protocol/tunables.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The list of dispatcherd(8), ENVIRONMENT. A name that ends with "_" stands for all names with that
 * prefix. JOURNAL_STREAM describes standard error, which the worker inherits. */
static const char *const names[] = {
    "PATH", "HOME", "USER",  "LOGNAME", "SHELL",           "LANG",           "LANGUAGE",
    "LC_",  "TZ",   "TZDIR", "TMPDIR",  "LD_LIBRARY_PATH", "JOURNAL_STREAM", WORKER_TUNABLES_NAME,
};

static bool environment_is_for_workers(const char *variable)
{
    for (size_t i = 0; i < ELEMENTSOF(names); i++) {
        size_t length = strlen(names[i]);

        if (strncmp(variable, names[i], length) == 0 &&
            (names[i][length - 1] == '_' || variable[length] == '='))
            return true;
    }
    return false;
}

char **worker_environment_new(void)
{
    /* LISTEN_PID cannot be set: the process does not exist yet. */
    static char listen_fds[] = "LISTEN_FDS=1";
    static char tunables[] = WORKER_TUNABLES;
    size_t n = 0;

    for (char **variable = environ; *variable; variable++)
        n += environment_is_for_workers(*variable);
    char **copy = calloc(n + 3, sizeof(*copy));
    if (!copy)
        return NULL;
    n = 0;
    for (char **variable = environ; *variable; variable++)
        if (environment_is_for_workers(*variable))
            copy[n++] = *variable;
    copy[n++] = listen_fds;
    if (!getenv(WORKER_TUNABLES_NAME))
        copy[n++] = tunables;
    return copy;
}
