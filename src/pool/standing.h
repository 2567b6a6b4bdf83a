/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What the options and the time say of one worker: whether it is due, idle, busy enough, and who of
 * two comes first. Pure. */
#pragma once

#include "pool/pool.h"

/* How many more connections it takes now. */
unsigned standing_places(const struct pool_worker *worker);

/* How many it would take if what it passes connections to did: clients may wait for that in our
 * hands, where each has its time limit. */
unsigned standing_places_put_off(const struct pool_worker *worker);

/* It is past MAX_LIFE_TIME or MAX_LIFE_CONNS, or outdated: it serves on until there is a shutdown
 * slot for it. */
bool standing_is_due(const struct pool_worker *worker, const struct pool_options *options,
                     uint64_t now);
bool standing_is_used_up(const struct pool_worker *worker, const struct pool_options *options);

/* When it is past MAX_LIFE_TIME; USEC_INFINITY: never. */
uint64_t standing_expires_at(const struct pool_worker *worker, const struct pool_options *options);

/* It is ready, and has no connection: and has had none for MAX_IDLE_TIME, which it has until
 * standing_idle_until(). */
bool standing_is_idle(const struct pool_worker *worker);
bool standing_is_past_idle(const struct pool_worker *worker, const struct pool_options *options,
                           uint64_t now);
uint64_t standing_idle_until(const struct pool_worker *worker, const struct pool_options *options);

/* It drains, and has no connection left: it is about to exit. */
bool standing_is_leaving(const struct pool_worker *worker);

/* It has MIN_CONNS connections, or all that it can take. */
bool standing_is_busy_enough(const struct pool_worker *worker, const struct pool_options *options);

/* How many connections it takes before it is busy enough. One that is due or blocked takes none
 * that could be counted on. If it is not 0, it has not been so for MAX_IDLE_TIME before
 * standing_lasts_at(). */
unsigned standing_spare(const struct pool_worker *worker, const struct pool_options *options,
                        uint64_t now);
uint64_t standing_lasts_at(const struct pool_worker *worker, const struct pool_options *options);

/* True if a is the better one for the next connection (dispatcherd(8)): due ones last, then the
 * least busy, then the least used, then the oldest. */
bool standing_is_better(const struct pool_worker *a, bool a_is_due, const struct pool_worker *b,
                        bool b_is_due);

/* True if a is to be retired before b (dispatcherd(8)): idle ones first, since they free their
 * place at once; then the oldest. */
bool standing_goes_before(const struct pool_worker *a, const struct pool_worker *b);
