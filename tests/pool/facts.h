/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Facts about a pool, found without the policy's help, for the invariants. */
#pragma once

#include "pool/invariants.h"

unsigned fact_places_of(const struct pool_worker *worker);
unsigned fact_places_of_all(const struct pool *pool);

/* Of those that have a place, and put connections off. */
unsigned fact_places_put_off(const struct pool *pool);

/* A ready worker has put off the connection that it was offered last. */
bool fact_is_put_off(const struct pool *pool);

/* Of the service, beside what was passed on; unlimited without any. */
unsigned fact_places_left(const struct pool *pool, const struct pool_options *options);

/* What some worker passes connections to took none when it was asked last. */
bool fact_any_puts_off(const struct pool *pool);

/* One more worker could take what those that are ready cannot. */
bool fact_another_would_help(const struct pool *pool, const struct pool_options *options);

bool fact_is_ready(const struct pool_worker *worker);

/* Past MAX_LIFE_CONNS; past MAX_LIFE_TIME; one of them. */
bool fact_is_used(const struct pool_worker *worker, const struct pool_options *options);
bool fact_is_old(const struct pool_worker *worker, const struct pool_options *options,
                 uint64_t now);
bool fact_is_due(const struct pool_worker *worker, const struct pool_options *options,
                 uint64_t now);

bool fact_is_past_idle(const struct pool_worker *worker, const struct pool_options *options,
                       uint64_t now);

/* How many more connections it takes, or they all take, before they are busy enough. */
unsigned fact_slack_of(const struct pool_worker *worker, const struct pool_options *options);
unsigned fact_slack_of_all(const struct pool *pool, const struct pool_options *options);

/* The same, where it can be counted on: a worker that is due or blocked may not be there for
 * long. */
unsigned fact_spare_of(const struct pool_worker *worker, const struct pool_options *options,
                       uint64_t now);
unsigned fact_spare_beside(const struct pool *pool, const struct pool_options *options,
                           uint64_t now, unsigned slot);

/* How many must be ready once this one is retired. */
unsigned fact_ready_needed_without(const struct pool_worker *worker,
                                   const struct pool_options *options);

/* MAX_PROCS and the delay of a failed start allow one more worker. */
bool fact_can_start(const struct pool *pool, const struct pool_options *options, uint64_t now);

bool fact_expiry_has_distance(const struct observations *observed, uint64_t now);

/* One is due, has a shutdown slot, and would leave too few. */
bool fact_somebody_needs_a_successor(const struct pool *pool, const struct pool_options *options,
                                     uint64_t now);
