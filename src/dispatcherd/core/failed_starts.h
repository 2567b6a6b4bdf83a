/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Starts of workers that failed: why the last one did, and its line in the log. */
#pragma once

#include "pool/policy.h"

#include <stdbool.h>
#include <stdint.h>

struct service;

/* Of a service; written by this module alone. */
struct failed_starts {
    char error[1024];   /* why the last start failed; "" if it has succeeded */
    uint64_t report_at; /* while other workers serve, not before this; CLOCK_MONOTONIC, in
                           microseconds */
    bool has_any;       /* since the daemon began a worker could not be started, or was useless */
};

/* Keeps, counts and reports why a worker that was to be started for `reason` could not be. The
 * caller notifies the pool, which delays the next start. If the worker was to replace an outdated
 * one, all outdated ones continue to serve. While other workers serve, failures are reported once a
 * minute at most. */
void failed_starts_note(struct service *service, enum decision_reason reason, const char *format,
                        ...) __attribute__((format(printf, 3, 4)));

/* A worker has ended before it was of any use; why is known and reported only when it exits. */
void failed_starts_note_useless(struct failed_starts *failed);

/* A start has succeeded. */
void failed_starts_end(struct failed_starts *failed);

/* Other options are in force, so the next failure is reported at once. */
void failed_starts_set_options(struct failed_starts *failed);
