/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The workers that a predecessor left in the store: taken over with their sessions and counts.
 * Every start is an adoption of N >= 0 workers; what is lacking then, the policy starts. */
#pragma once

#include "dispatcherd/core/service.h"
#include "dispatcherd/store/passed.h"

/* Takes from `passed` every worker's channel and asks each who it is and what it holds; it serves
 * on meanwhile, and counts as starting until it has answered. A worker of a service that is gone,
 * or of another version of the protocol, is told to drain. `old` is what the predecessor knew, NULL
 * if that cannot be read. Returns how many were adopted. */
unsigned adopt_workers(struct service *const services[], size_t n_services, struct passed *passed,
                       const struct state *old);
