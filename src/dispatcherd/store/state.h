/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What must survive the daemon, in memory that a successor can read: a memfd, kept in the service
 * manager's store.
 *
 * The services' pools and statistics live in it, so that nothing need be saved: whenever the
 * daemon dies, what it knew is there. A successor takes from it what counts and times say; who
 * holds which connection it hears from the workers themselves. */
#pragma once

#include "config/options.h"
#include "pool/pool.h"
#include "statistics/history.h"
#include "statistics/statistics.h"

#include <stdint.h>

/* Of one service. Plain data, valid in any process. */
struct service_state {
    char unit_name[40]; /* room for SERVICE_NAME_MAX; part of a layout that survives */
    struct pool pool;
    struct statistics statistics;
    struct history history;
    /* What each slot's worker was started with (fingerprint.h). */
    uint64_t fingerprints[POOL_WORKERS_MAX];
};

struct state; /* the whole memory */

/* Services at the most, those that are going included. Memory that is not used is not there. */
#define STATE_SERVICES_MAX 256

/* Returns 0 with *ret, which is freed by state_free(), or a negative errno. */
int state_new(struct state **ret);

/* Maps what a predecessor left. Takes over *fd (-1 afterwards). Returns 0, -EPROTO if its layout
 * is not ours, or another negative errno. */
int state_open(int *fd, struct state **ret);

void state_free(struct state *state);

/* The memory's descriptor, for the store; it stays the state's. */
int state_fd(const struct state *state);

/* A place for the service of that name, all zero; NULL if there are too many. */
struct service_state *state_claim(struct state *state, const char *unit_name);

/* The service is gone. */
void state_release(struct service_state *service);

/* From now on changes are ours alone: the successor finds what was there at this moment. Returns 0
 * or a negative errno. */
int state_detach(struct state *state);

/* The place of the service of that name, or NULL. */
const struct service_state *state_find(const struct state *state, const char *unit_name);

/* Goes on, from `now` (CLOCK_MONOTONIC, in microseconds), with the statistics of the services that
 * both know, and with the connections' identifiers. */
void state_inherit(struct state *state, const struct state *old, uint64_t now);

/* Where the next connection's identifier is kept. */
uint64_t *state_next_connection_id(struct state *state);
