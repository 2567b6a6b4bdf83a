/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* How long a worker may be in each state of its life (life.h): one time limit a state, one timer a
 * worker.
 *
 *     starting, welcomed   30 s from the start until it is ready
 *     adopted              10 s for its answer
 *     ready                5 s for each hand-off, until it is acknowledged; without any, no limit
 *     draining             likewise; 30 s without a session; and what it was told for its sessions
 *     closed               5 s to exit, and the time for its sessions if it has any
 *     exited               3 s for what systemd says of the cause
 *     lingering            10 s, then its unit is killed
 *
 * What follows when one is over is life.c's business. */
#pragma once

#include "dispatcherd/core/worker.h"

/* Makes the worker's timer, which calls `on_limit` with the worker, and sets it. Returns 0 or a
 * negative errno. */
int worker_limit_new(struct worker *worker, void (*on_limit)(void *userdata));

/* The worker has entered its state, or its limit was looked at: sets the timer for it. */
void worker_limit_begin(struct worker *worker);

/* A worker without a channel was killed, and may still exist: sets the timer for the next try. */
void worker_limit_kill_again(struct worker *worker);

/* A hand-off was sent to a ready worker. */
void worker_watch_handoffs(struct worker *worker, uint64_t now);

/* The worker drains, or has announced it; its sessions have this many seconds from now on. A later
 * call counts if its limit is earlier. */
void worker_limit_drain(struct worker *worker, unsigned limit_sec);

/* Whether it has not acknowledged a hand-off in time. */
bool worker_is_past_handoff(const struct worker *worker);

/* Why a worker that drains has exceeded its limit; NULL if it has not. */
const char *worker_past_drain(const struct worker *worker);

/* Why a worker without a channel has exceeded its limit. */
const char *worker_past_exit(const struct worker *worker);
