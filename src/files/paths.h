/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Names of files in the configuration, and the folders that they are relative to
 * (dispatcher.cnf(5)). */
#pragma once

#include <stddef.h>

/* What the configuration depends on besides its files. The strings stay the caller's. */
struct config_paths {
    const char *worker_dir; /* the folder of relative IMAGEs, and IMTA_BIN: (dispatcher.cnf(5)) */
    const char *config_dir; /* IMTA_TABLE: */
    const char *log_dir;    /* IMTA_LOG:, and the folder of relative LOGFILEs */
    const char *state_dir;  /* the folder of a relative RECORD */
    const char *debug_env;  /* the environment's debug mask, as text; NULL: none */
    const char *debug_env_name; /* the name of that variable, for messages */
};

/* The folders that the package was built with, and IMTA_DISPATCHER_DEBUG or PMDF_DISPATCHER_DEBUG
 * of the environment. */
struct config_paths config_paths_default(void);

/* Room for the reason of paths_resolve(), with its NUL. */
#define PATHS_REASON_MAX 200

/* Makes a path of `name`: a logical name at its start (such as IMTA_BIN:) is replaced by its
 * folder, and a relative name is put below `relative_dir` (NULL: it stays relative). Returns 0 with
 * *ret, which the caller frees; -EINVAL with `reason`, a phrase that says what would be right; or
 * -ENOMEM. */
int paths_resolve(const struct config_paths *paths, const char *relative_dir, const char *name,
                  char **ret, char reason[PATHS_REASON_MAX]);
