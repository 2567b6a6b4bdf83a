/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Takes over what a predecessor left in the service manager's store: its counts, the throttle, its
 * workers, and connections that were still being checked. */
#pragma once

#include "dispatcherd/manager.h"
#include "dispatcherd/store/inherited.h"

/* Takes over all that can be used, and stores what a successor will need. What cannot be used is
 * made anew, and that is reported. */
void succession_take_over(struct manager *manager, struct inherited *inherited);
