#include "dispatcherd/config_version.h"

#include <stdlib.h>

struct config_version *config_version_new(struct config *config)
{
    struct config_version *version = calloc(1, sizeof(*version));

    if (!version)
        return NULL;
    version->config = *config;
    version->n_users = 1;
    *config = (struct config){0};
    return version;
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
    free(version);
}
