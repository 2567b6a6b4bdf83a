/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What workers need memory for, as far as a recording shows: each a fixed part, and more for its
 * sessions. Some programs give a session's memory back at its end, others keep it for the next
 * one, and some never stop growing; what describes the recording best is taken.
 *
 * Pure, as all of simulate/. */
#pragma once

#include "pool/pool.h"
#include "recording/recording.h"

#include <stdbool.h>

enum memory_cause {
    MEMORY_SESSIONS,    /* that a worker has */
    MEMORY_PEAK,        /* the most sessions that it had at a time so far */
    MEMORY_CONNECTIONS, /* all that it was given so far */
    N_MEMORY_CAUSES
};

struct memory_model {
    size_t n_samples;        /* looks at workers that it follows from; 0: nothing is known */
    enum memory_cause cause; /* what the second part grows with */
    double worker_kib;       /* of each worker */
    double each_kib;         /* more for each session or connection */
    double error;            /* how far it is off at a look on average, as a part of the average */
};

/* "sessions", "most sessions" or "connections". */
const char *memory_cause_to_string(enum memory_cause cause);

struct memory_model memory_model_of(const struct recorded_service *service);

/* What the ready and draining workers of the pool have together, in KiB. */
double memory_of_pool(const struct memory_model *model, const struct pool *pool);

/* What those of the service had together, in KiB: if only some were looked at, they stand for all.
 */
double memory_measured(const struct record_memory *memory);
