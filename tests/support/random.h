/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Random numbers for property tests: the same seed gives the same cases on every machine. */
#pragma once

#include <stdint.h>

struct random_source {
    uint64_t state;
};

/* Seeds from TEST_SEED where it is set, else from the clock, and prints the seed, so that a failed
 * run can be repeated. */
struct random_source random_start(void);

/* The next 64 bits. */
uint64_t random_next(struct random_source *source);

/* A number from min to max, both included. */
uint64_t random_between(struct random_source *source, uint64_t min, uint64_t max);
