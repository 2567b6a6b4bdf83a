/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What must be true of every decision about a pool, whatever happened before: the rules of
 * dispatcherd(8), written a second time by what an observer sees. Each function returns NULL, or
 * the sentence that is not true. */
#pragma once

#include "pool/policy.h"

/* What an observer of the pool remembers. */
struct observations {
    uint64_t last_expiry_at; /* 0: none yet */
    bool has_idle_retirement;
    uint64_t idle_retirement_at;
    /* After a reload has lowered a limit, its excess may only shrink. */
    unsigned max_total;
    unsigned max_handoffs;
    unsigned max_draining_by_choice;
    bool is_draining_by_choice[POOL_WORKERS_MAX];
};

/* The counters of the pool are the sums over its workers; no limit is exceeded. Keeps the limits
 * of what the observer remembers: call it after every change. */
const char *invariants_of_pool(const struct pool *pool, const struct pool_options *options,
                               struct observations *observed);

/* The decision is allowed. */
const char *invariants_of_decision(const struct pool *pool, const struct pool_options *options,
                                   const struct observations *observed, uint64_t now,
                                   const struct decision *decision);

/* Waiting is right: nothing that has to be done is left undone. */
const char *invariants_of_waiting(const struct pool *pool, const struct pool_options *options,
                                  const struct observations *observed, uint64_t now,
                                  const struct decision *decision);

const char *invariants_of_acceptance(const struct pool *pool, const struct pool_options *options,
                                     uint64_t now, enum accept_verdict verdict);
