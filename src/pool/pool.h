/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The pool of one service as plain data: its workers, and how many connections are where. What is
 * to be done about it is policy.h's business; who does it is the daemon's.
 *
 * Pure: no system call, no clock, no allocation. Every change is one of the functions below, which
 * keeps the counters true and asserts the invariants; everybody may read, nobody else may write.
 *
 * A worker:      none -> starting -> ready -> draining -> none (exited)
 * and from starting and ready straight to none, when it dies. */
#pragma once

#include "pool/ranking.h"

#include <stdbool.h>
#include <stdint.h>

enum pool_worker_state {
    POOL_WORKER_NONE, /* the slot is free */
    POOL_WORKER_STARTING,
    POOL_WORKER_READY,
    POOL_WORKER_DRAINING,
};

const char *pool_worker_state_to_string(enum pool_worker_state state);

/* All times are CLOCK_MONOTONIC, in microseconds. */
struct pool_worker {
    enum pool_worker_state state;
    unsigned max_conns;    /* what it can serve at a time; 0 until it is ready */
    unsigned n_handoffs;   /* sent to it, not yet acknowledged */
    unsigned n_active;     /* acknowledged, not yet ended */
    unsigned n_peak;       /* highest n_handoffs + n_active */
    unsigned n_places;     /* what it said it can serve, whatever MAX_CONNS is now; 0: not known */
    uint64_t n_total;      /* connections that it was given and has taken */
    uint64_t start_number; /* counts the starts of the service: lower is older */
    uint64_t started_at;
    uint64_t ready_at;
    uint64_t idle_since;   /* of a ready worker without connections */
    uint64_t load_fell_at; /* when it last lost a connection; 0: never */
    bool is_blocked;       /* it is given none for now: its channel is full, or it rests */
    bool is_putting_off;   /* what it passes connections to took none when it was asked last */
    bool is_outdated;      /* to be replaced: what it was started with is not what is wanted now */
};

struct pool {
    struct pool_worker workers[POOL_WORKERS_MAX];
    unsigned n_slots; /* slots above are all free */

    unsigned n_starting;
    unsigned n_ready;
    unsigned n_draining;

    unsigned n_checking; /* connections being checked: they hold no place */
    unsigned n_waiting;  /* accepted, for a worker to be chosen */
    unsigned n_handoffs; /* sum over the workers */
    unsigned n_active;   /* sum over the workers */

    /* Sessions that workers have passed on to another program: no worker has them any more, but
     * they hold places of the service until they end. */
    unsigned n_passed_on;

    unsigned n_failed_starts; /* in a row */
    uint64_t next_start_at;   /* after a failed start: not before */
    uint64_t last_expiry_at;  /* of a retirement for age or use; 0: none yet */
    uint64_t n_starts;
    bool is_stopping; /* pool_stop() */
    bool wants_start; /* pool_want_start(), until the next start */

    struct ranking ranking; /* ranking.c */
};

/* Workers that take, or will soon take, connections. */
static inline unsigned pool_available(const struct pool *pool)
{
    return pool->n_starting + pool->n_ready;
}

/* Connections that hold a place of the service. */
static inline unsigned pool_load(const struct pool *pool)
{
    return pool->n_handoffs + pool->n_active + pool->n_passed_on;
}

/* All workers, draining ones included: this never exceeds MAX_PROCS. */
static inline unsigned pool_total(const struct pool *pool)
{
    return pool->n_starting + pool->n_ready + pool->n_draining;
}

static inline unsigned pool_worker_load(const struct pool_worker *worker)
{
    return worker->n_handoffs + worker->n_active;
}

/* The life of a worker. The slot of pool_worker_started() must be free, others in use. */
void pool_worker_started(struct pool *pool, unsigned slot, uint64_t now);
void pool_worker_ready(struct pool *pool, unsigned slot, unsigned max_conns, uint64_t now);
void pool_worker_draining(struct pool *pool, unsigned slot, uint64_t now);

/* The worker takes no more connections, and nobody told it so: it drains, or its channel is gone.
 * If it had not been useful, that is a failed start; see pool_worker_exited(). Returns true
 * then. */
bool pool_worker_left(struct pool *pool, unsigned slot, uint64_t now);

/* The worker is gone; none of its connections may be counted any more. If it had not been
 * useful (never ready, or not for POOL_GOOD_USEC and without a connection), that is a failed start
 * and delays the next one. Returns true then. */
bool pool_worker_exited(struct pool *pool, unsigned slot, uint64_t now);

/* A start that did not even begin: the same delay. */
void pool_start_failed(struct pool *pool, uint64_t now);

/* Nothing is accepted any more, or started but for what was accepted; and all is as before again.
 */
void pool_stop(struct pool *pool);
void pool_resume(struct pool *pool);

/* What made starts fail may have been mended: the next one need not wait. */
void pool_forget_failures(struct pool *pool);

/* Gives an adopted worker back what was known of it before: its times and totals. */
void pool_worker_restore(struct pool *pool, unsigned slot, const struct pool_worker *saved);

/* Marks an expiry (age or use), from which the next one keeps a distance. */
void pool_expiry_begun(struct pool *pool, uint64_t now);

void pool_worker_blocked(struct pool *pool, unsigned slot, bool is_blocked);

/* It has a place, but what it passes connections to takes none for now: another worker would do no
 * better. Blocked until pool_worker_blocked() says otherwise; no other one is started before it
 * takes a connection. */
void pool_worker_puts_off(struct pool *pool, unsigned slot);

/* To be replaced as soon as there is somebody in its place: after a change of what it was started
 * with, or because an administrator wants it. A draining one goes anyway. */
void pool_worker_outdated(struct pool *pool, unsigned slot);

/* One more worker is to be started as soon as MAX_PROCS allows, though the pool may need none: a
 * worker that starts now shows what has changed since the others did. Any start will do. */
void pool_want_start(struct pool *pool);

/* The new workers cannot start, so the old ones are to stay. Returns how many were outdated. */
unsigned pool_keep_outdated(struct pool *pool);

/* MAX_CONNS was lowered: no worker gets more than that from now on. */
void pool_limit_conns(struct pool *pool, unsigned max_conns);

/* The way of a connection, one function a step. */
void pool_checking_begun(struct pool *pool);
void pool_checking_ended(struct pool *pool);
void pool_waiting_begun(struct pool *pool);
void pool_waiting_ended(struct pool *pool);
void pool_handoff_begun(struct pool *pool, unsigned slot);
void pool_handoff_returned(struct pool *pool, unsigned slot, uint64_t now);
void pool_handoff_acknowledged(struct pool *pool, unsigned slot);
void pool_connection_adopted(struct pool *pool, unsigned slot); /* the worker has it already */
void pool_connection_ended(struct pool *pool, unsigned slot, uint64_t now);

/* The worker has passed an active one on, or has died and another program still has it; and its
 * end. */
void pool_connection_passed_on(struct pool *pool, unsigned slot, uint64_t now);
void pool_passed_on_ended(struct pool *pool);

/* A predecessor's worker had passed it on. */
void pool_passed_on_adopted(struct pool *pool);

/* A worker has proved itself when it was ready for so long (dispatcherd(8)), in microseconds. */
#define POOL_GOOD_USEC UINT64_C(5000000)
