/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Decisions that wait for the store's answer (dispatcher.cnf(5), FLEET_WAIT). As the store takes
 * one batch after the other, the answer to the batch with a connection's count says exactly which
 * of the fleet's connections it is.
 *
 * Pure: the caller provides the time and the answers. */
#pragma once

#include "dispatcherd/fleet/ledger.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

/* A power of 2. */
#define FLEET_WAIT_CHAINS 256

struct fleet_waits;

/* Part of its owner, and all zero at first. */
struct fleet_wait {
    LIST_ENTRY(fleet_wait) chain_link;
    TAILQ_ENTRY(fleet_wait) link; /* in the order of the beginning */
    struct fleet_waits *waits;    /* it is in these; NULL: it does not wait */
    struct throttle_key key;
    struct throttle_view view; /* when it began */
    uint64_t began_at;         /* CLOCK_MONOTONIC, in microseconds */
    /* It is over. `view` is what is known now: its own count is still that of the beginning. The
     * owner may be gone afterwards. */
    void (*decided)(struct fleet_wait *wait, const struct throttle_view *view);
};

/* All zero at first; written by this module alone. */
struct fleet_waits {
    TAILQ_HEAD(fleet_wait_list, fleet_wait) list;
    LIST_HEAD(, fleet_wait) chains[FLEET_WAIT_CHAINS];
    uint64_t limit_usec;
    uint64_t n_begun;
    uint64_t n_in_vain; /* of these, decided without an answer */
};

/* How long a decision waits at most. */
void fleet_waits_init(struct fleet_waits *waits, uint64_t limit_usec);

/* Begins to wait for the answer with this count of the key, if FLEET_WAIT says so and the key is
 * not known to be above its rate. Returns whether it waits. */
bool fleet_waits_begin(struct fleet_waits *waits, struct fleet_wait *wait,
                       const struct throttle_key *key, const struct throttle_view *view,
                       uint64_t now);

/* Does nothing if it does not wait. */
void fleet_wait_cancel(struct fleet_wait *wait);

/* Decides without an answer. */
void fleet_wait_give_up(struct fleet_wait *wait);

/* The answer to the batch has come. */
void fleet_waits_answer(struct fleet_waits *waits, const struct fleet_batch *batch,
                        const struct fleet_answer *answer, uint64_t now);

/* When the first that waits has to be given up; UINT64_MAX: none waits. */
uint64_t fleet_waits_due(const struct fleet_waits *waits);

/* Gives up those that have waited for too long; with UINT64_MAX, all. */
void fleet_waits_expire(struct fleet_waits *waits, uint64_t now);
