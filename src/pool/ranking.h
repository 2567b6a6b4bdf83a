/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What the policy asks about all workers of a pool at once: who gets the next connection, who goes
 * first, how many places there are, when something becomes due. The answers do not cost a look at
 * each worker.
 *
 * A binary tree stands over the slots. A leaf has what is true of one worker (standing.h), a node
 * the same of all workers below it. So the root has the answers, and a worker that has changed
 * changes only the nodes above it: ten in a pool of a thousand. Time changes workers, too; the root
 * has the first moment at which it will.
 *
 * It is part of the pool, and follows from the rest of it: pool.c notes who has changed, and
 * whoever asks brings the tree up to date. */
#pragma once

#include "pool/pool_options.h"

#include <stdbool.h>
#include <stdint.h>

struct pool;

#define RANKING_NOBODY UINT16_MAX

/* Of each of these the worker that is to be retired first is known, see standing_goes_before(). */
enum ranking_group {
    RANKING_READY,
    RANKING_BUSY, /* have connections */
    RANKING_DUE,
    RANKING_OUTDATED,
    RANKING_PAST_IDLE,  /* and has nothing to spare: it is due or blocked */
    RANKING_IDLE_SPARE, /* likewise past MAX_IDLE_TIME, with connections to spare */
    N_RANKING_GROUPS
};

/* Of one worker, or of all below a node. */
struct ranking_node {
    /* Moments to come; USEC_INFINITY: none. */
    uint64_t moment;   /* when the first of them expires, or is past MAX_IDLE_TIME */
    uint64_t lasts_at; /* when the first of them has had connections to spare for MAX_IDLE_TIME */

    uint32_t n_places;         /* see standing_places() */
    uint32_t n_places_put_off; /* see standing_places_put_off() */
    uint32_t n_spare;          /* see standing_spare() */

    /* Workers that are ready, and ... */
    uint16_t n_lasting;     /* have had connections to spare for MAX_IDLE_TIME */
    uint16_t n_putting_off; /* have put off the connection that they were offered last */
    uint16_t n_not_busy;    /* are not busy enough */

    uint16_t n_leaving; /* workers that drain, and have no connection left */

    /* Slots, or RANKING_NOBODY. */
    uint16_t best; /* of those that have a place, see standing_is_better() */
    uint16_t first[N_RANKING_GROUPS];
};

struct ranking {
    unsigned width; /* leaves, a power of two; 0: the tree is to be made anew */
    uint64_t now;   /* for which, and under which options, the tree was true */
    struct pool_options options;
    unsigned n_changed; /* workers since then */
    uint16_t changed[POOL_WORKERS_MAX];
    bool is_changed[POOL_WORKERS_MAX];
    struct ranking_node nodes[2 * POOL_WORKERS_MAX]; /* 1: the root; below n: 2n and 2n + 1 */
};

/* The worker in the slot has changed; all of them have. */
void ranking_note(struct ranking *ranking, unsigned slot);
void ranking_forget(struct ranking *ranking);

/* What is true of all workers of the pool under these options at this moment: valid until one of
 * the three changes. Costs what has changed since it was asked for the last time; other options,
 * and a time before that, cost a look at each worker. */
const struct ranking_node *ranking_look(struct pool *pool, const struct pool_options *options,
                                        uint64_t now);
