/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Records what comes and how long it stays, for dispatcherctl simulate (dispatcher.cnf(5), RECORD).
 *
 * Clients are kept as hashes with a key that nobody ever sees: it is made when the recording
 * begins, and is only in the memory of the process. What is recorded is collected here, and twice a
 * second a thread writes it (ring_file.h): however slow the file is, the main loop never waits for
 * it. If there is no room left, records are lost and counted. */
#pragma once

#include "base/address.h"
#include "config/options.h"
#include "dispatcherd/recorder/memory_watch.h"
#include "pool/policy.h"
#include "recording/record.h"

#include <systemd/sd-event.h>

struct recorder;

/* Of a service: what the recording has of it; written by recorder.c alone. All zero in the
 * beginning. */
struct recorded_state {
    uint64_t described; /* the description in which it is; 0: in none */
    unsigned n_starting;
    unsigned n_ready;
    unsigned n_draining;
    struct memory_watch memory;
};

/* Begins to record to the file of that path. Returns 0 with *ret, or a negative errno; errors of
 * the file are reported later, when they happen. */
int recorder_new(sd_event *event, const char *path, struct recorder **ret);

/* Writes what is left, for which it waits a second at most, and frees it. NULL does nothing. */
void recorder_free(struct recorder *recorder);

const char *recorder_path(const struct recorder *recorder);

/* The options may have changed: they are written again for each service. */
void recorder_describe_again(struct recorder *recorder);

/* Each records one thing of the service with these options. With the recorder NULL they do nothing.
 * Times are CLOCK_MONOTONIC, in microseconds. */

/* `facts` without the client. */
void recorder_add_connection(struct recorder *recorder, struct recorded_state *state,
                             const struct service_options *options, uint64_t arrived_at,
                             const struct address *peer, const struct record_connection *facts);

/* Nothing is recorded unless the number of workers has changed. */
void recorder_look_at_pool(struct recorder *recorder, struct recorded_state *state,
                           const struct service_options *options, const struct pool *pool,
                           uint64_t now);

void recorder_add_ready(struct recorder *recorder, struct recorded_state *state,
                        const struct service_options *options, uint64_t start_usec, uint64_t now);

/* `left_at`: when it began to drain; 0: it did not. */
void recorder_add_exit(struct recorder *recorder, struct recorded_state *state,
                       const struct service_options *options, const struct pool_worker *worker,
                       uint64_t left_at, enum decision_reason reason, uint64_t now);

/* When the memory of the service's workers is to be looked at (memory_watch.h); USEC_INFINITY: not
 * before something changes. */
uint64_t recorder_memory_due(const struct recorder *recorder, const struct recorded_state *state,
                             const struct pool *pool, uint64_t now);

/* `memory` has 0 workers of a pool that is not empty if nothing could be found out: that is not
 * recorded, but keeps the next look away. */
void recorder_add_memory(struct recorder *recorder, struct recorded_state *state,
                         const struct service_options *options, const struct pool *pool,
                         const struct record_memory *memory, uint64_t now);
