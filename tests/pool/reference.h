/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The policy as it is easiest to read: every question is put to every worker. The real one keeps a
 * ranking instead, and has to decide the same. Without anything of pool/ but the plain data. */
#pragma once

#include "pool/policy.h"

struct decision reference_decide(const struct pool *pool, const struct pool_options *options,
                                 uint64_t now);
enum accept_verdict reference_may_accept(const struct pool *pool,
                                         const struct pool_options *options, uint64_t now);

/* Returns NULL if the policy decides as the reference, else what it decides otherwise. */
const char *reference_compare(struct pool *pool, const struct pool_options *options, uint64_t now);
