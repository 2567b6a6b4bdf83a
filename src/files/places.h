/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Names of files in the configuration, and the folders that they are relative to
 * (dispatcher.cnf(5)).
 */
#pragma once

#include <stddef.h>

/* What the reading depends on besides the file. The strings stay the caller's. */
struct config_places {
    const char *worker_dir;     /* if relative IMAGEs and IMTA_BIN: are (dispatcher.cnf(5)) */
    const char *config_dir;     /* IMTA_TABLE: */
    const char *log_dir;        /* IMTA_LOG:, and relative LOGFILEs */
    const char *debug_env;      /* the environment's debug mask, as text; NULL: none */
    const char *debug_env_name; /* of that variable, for messages */
};

/* The places that the package was built with, and the environment's IMTA_DISPATCHER_DEBUG or
 * PMDF_DISPATCHER_DEBUG. */
struct config_places config_places_default(void);

/* Room for what places_resolve() has to say, with its NUL. */
#define PLACES_REASON_MAX 200

/* Makes a path of `name`: a logical name at its start (IMTA_BIN: and its like) gives way to its
 * folder, and a relative name is put below `relative_dir` (NULL: it stays relative). Returns 0 with
 * *ret, which the caller frees; -EINVAL with `reason`, a phrase that says what would be right; or
 * -ENOMEM. */
int places_resolve(const struct config_places *places, const char *relative_dir, const char *name,
                   char **ret, char reason[PLACES_REASON_MAX]);
