/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* When the memory of a service's workers is looked at: soon after their number or that of their
 * sessions has changed by much, once a minute if either has changed by less, and not at all while
 * neither changes, so that what is idle does not push what is busy out of the ring. Pure. */
#pragma once

#include "pool/pool.h"

/* As it was at the last look. All zero: there was none. */
struct memory_watch {
    uint64_t at;
    unsigned n_workers;
    unsigned n_sessions;
};

/* Returns when to look; USEC_INFINITY: not before something changes. */
uint64_t memory_watch_due(const struct memory_watch *watch, const struct pool *pool, uint64_t now);

void memory_watch_looked(struct memory_watch *watch, const struct pool *pool, uint64_t now);
