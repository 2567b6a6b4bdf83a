/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What a predecessor left in the service manager's store: its counts, the throttle, its workers,
 * and connections that were still being checked. */
#pragma once

#include "dispatcherd/manager.h"
#include "dispatcherd/store/passed.h"

/* Takes it all over, as far as it can be used, and stores what a successor will want. What cannot
 * be used begins anew, and that is said. */
void succession_take_over(struct manager *manager, struct passed *passed);
