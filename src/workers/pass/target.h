/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* How the other program is: logged when it changes, not with each connection. That it is full may
 * change with each of them: it is logged once a minute at the most. */
#pragma once

#include <dispatcher/worker.h>

#include <stdint.h>

struct target {
    dispatcher_worker *worker;
    const char *path;
    uint64_t bad_since; /* CLOCK_MONOTONIC, in microseconds; 0: it is well */
    uint64_t n_bad;     /* attempts since then */
    int error;          /* of the last of them that was logged: a negative errno; 0: none */
    uint64_t full_at;   /* when it may be logged again that it is full */
    uint64_t n_full;    /* how often it was full since then, and that was not logged */
};

/* An attempt to reach it has ended, at `now` (CLOCK_MONOTONIC, microseconds), with 0 or a negative
 * errno. */
void target_note(struct target *target, int error, uint64_t now);

/* At the worker's end: logs how often it was full since that was logged. */
void target_end(struct target *target);

/* "it is full", "it is away (Connection refused)". */
const char *target_text(int error);
