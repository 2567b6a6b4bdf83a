/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Takes over the workers that a predecessor left in the store, with their sessions and counts.
 * Every start is an adoption of N >= 0 workers; the policy starts those that are missing. */
#pragma once

#include "dispatcherd/core/service.h"
#include "dispatcherd/store/inherited.h"

/* Takes every worker's channel from `inherited`, and asks each worker what it holds. The worker
 * serves on, and counts as starting until it has answered. A worker whose service is gone, or with
 * another version of the protocol, is told to drain. `old` is the predecessor's state; NULL if it
 * cannot be read. Returns how many workers were adopted. */
unsigned adopt_workers(struct service *const services[], size_t n_services,
                       struct inherited *inherited, const struct state *old);
