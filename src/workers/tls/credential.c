/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "workers/tls/credential.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *tls_credential_path(const char *value)
{
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    char *path;

    if (strchr(value, '/'))
        return strdup(value);
    if (!folder || asprintf(&path, "%s/%s", folder, value) < 0)
        return NULL;
    return path;
}
