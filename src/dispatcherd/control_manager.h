/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The daemon as a whole, for the control socket: what it shows, and what it can command. */
#pragma once

#include "dispatcherd/manager.h"

/* Makes the control socket at `path`, unless that is NULL. Failures are reported only: clients of
 * services are served without it, too. */
void control_manager_open(struct manager *manager, const char *path);
