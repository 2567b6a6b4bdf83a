/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The credentials that an administrator gives to the units of workers (systemd.exec(5),
 * LoadCredential=). */
#pragma once

#include "config/options.h"

#include <stdbool.h>

/* True if a drop-in of the workers' unit, or a unit that replaces the generated one, sets a
 * credential of that name. */
bool unit_credential_is_set(const struct service_options *service, const char *name);
