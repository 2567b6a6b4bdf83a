/* One reading of dispatcher.cnf, kept for as long as anybody uses it: after a reload a service
 * that is going still has the options that it was started with. */
#pragma once

#include "config/options.h"

struct config_version {
    struct config config;
    unsigned n_users;
};

/* Takes over *config (empty afterwards); the caller is its first user. Returns NULL when out of
 * memory; *config is still the caller's then. */
struct config_version *config_version_new(struct config *config);

/* One more user. Returns the version. */
struct config_version *config_version_ref(struct config_version *version);

/* One user less; the last one frees it. NULL is allowed. */
void config_version_unref(struct config_version *version);
