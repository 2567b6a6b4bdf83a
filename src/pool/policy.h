/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What is to be done about a pool: a pure function of its state, its options and the time.
 *
 * policy_decide() gives one decision; the caller carries it out, tells the pool (pool.h) what came
 * of it, and asks again, until the answer is to wait. It may be asked at any moment after any
 * change; asking changes nothing but the ranking, by which the answer is found. The rules, in
 * dispatcherd(8): who gets a connection, who is started, who is retired, what is accepted. */
#pragma once

#include "pool/pool.h"

enum decision_kind {
    DECISION_WAIT,     /* nothing, before `until` or the next change */
    DECISION_HAND_OFF, /* give the connection that waits longest to the worker in `slot` */
    DECISION_START,    /* start a worker in `slot`, which is free */
    DECISION_RETIRE,   /* let the worker in `slot` drain */
};

enum decision_reason {
    REASON_NONE,

    REASON_LEAST_BUSY,  /* hand-off: it has the fewest connections */
    REASON_LAST_RESORT, /* hand-off: it is due to be retired, but no other has a free place */

    REASON_MINIMUM,   /* start: fewer than MIN_PROCS are available */
    REASON_DEMAND,    /* start: a connection waits and no worker has a place */
    REASON_ALL_BUSY,  /* start: every worker has MIN_CONNS connections, or all it can take */
    REASON_ADOPTED,   /* start: a predecessor of the daemon did */
    REASON_SUCCESSOR, /* start: one is due to be retired, and needs somebody in its place */

    REASON_IDLE,     /* retire: MAX_IDLE_TIME without a connection */
    REASON_AGE,      /* retire: MAX_LIFE_TIME */
    REASON_USE,      /* retire: MAX_LIFE_CONNS */
    REASON_OUTDATED, /* retire: replaced after a change, or on request */
    REASON_SURPLUS,  /* retire: more than MAX_PROCS */
    REASON_STOPPING, /* retire: the service stops */

    REASON_NOTHING_DUE,   /* wait */
    REASON_NO_PLACE,      /* wait: every place of every worker is taken */
    REASON_PUT_OFF,       /* wait: the server behind the workers is full or down */
    REASON_HANDOFFS_FULL, /* wait: MAX_HANDOFFS are not yet acknowledged */
    REASON_START_DELAYED, /* wait: the last start failed */
};

const char *decision_reason_to_string(enum decision_reason reason);

struct decision {
    enum decision_kind kind;
    enum decision_reason reason;
    unsigned slot;
    uint64_t until; /* of DECISION_WAIT: ask again then, USEC_INFINITY: only after a change */
};

/* Workers of a service that start at a time for MIN_PROCS, and that leave at a time when it stops,
 * but for those that still have sessions. More of them would be ready, or gone, no sooner, and
 * systemd would have no time for anything else: a worker takes it some 15 ms. */
#define POLICY_STARTING_MAX 32
#define POLICY_LEAVING_MAX  32

struct decision policy_decide(struct pool *pool, const struct pool_options *options, uint64_t now);

/* Whether one more connection may be accepted now. If not, it waits in the kernel's queue,
 * where no crash of ours can lose it. */
enum accept_verdict {
    ACCEPT_YES,
    ACCEPT_NO_PLACE,      /* nobody could serve it soon */
    ACCEPT_HANDOFFS_FULL, /* MAX_HANDOFFS are under way */
    ACCEPT_CHECKS_FULL,   /* too many are being checked */
    ACCEPT_STOPPING,
};

const char *accept_verdict_to_string(enum accept_verdict verdict);

/* Connections of a service that may be in the checks at a time. */
#define POLICY_CHECKING_MAX 1024

/* Connections of a service that may wait in our hands for a server that takes none. Each of them is
 * stored, so that our death does not lose it; more wait in the kernel's queue, which survives us.
 */
#define POLICY_PUT_OFF_MAX 256

/* Whether what some worker passes connections to took none when it was asked last. */
bool policy_is_put_off(struct pool *pool, const struct pool_options *options, uint64_t now);

enum accept_verdict policy_may_accept(struct pool *pool, const struct pool_options *options,
                                      uint64_t now);
