/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The daemon as a whole, as the control socket shows and steers it. */
#pragma once

#include "dispatcherd/manager.h"

/* Makes the control socket at `path`, if that is not NULL. What fails is told: clients are
 * served without it too. */
void control_manager_open(struct manager *manager, const char *path);
