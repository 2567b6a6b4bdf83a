/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What an administrator wants of a pool. */
#pragma once

#include <stdint.h>

/* Workers of one service: as many as systemd accepts connections on its worker socket. */
#define POOL_WORKERS_MAX 1024

struct pool_options {
    unsigned min_procs;
    unsigned max_procs; /* 1 .. POOL_WORKERS_MAX */
    unsigned min_conns; /* a worker with so many is busy enough */
    unsigned max_conns;
    unsigned max_handoffs;
    unsigned max_shutdown;
    uint64_t max_life_usec;  /* 0: unlimited */
    uint64_t max_life_conns; /* 0: unlimited */
    uint64_t max_idle_usec;  /* 0: never */
};

/* The options in a pointer to another struct that has members of these names, and the two times,
 * which it has in seconds under names of its own. */
#define POOL_OPTIONS_OF(other, max_life_sec, max_idle_sec)                                         \
    (struct pool_options)                                                                          \
    {                                                                                              \
        .min_procs = (other)->min_procs, .max_procs = (other)->max_procs,                          \
        .min_conns = (other)->min_conns, .max_conns = (other)->max_conns,                          \
        .max_handoffs = (other)->max_handoffs, .max_shutdown = (other)->max_shutdown,              \
        .max_life_usec = (max_life_sec)*UINT64_C(1000000),                                         \
        .max_life_conns = (other)->max_life_conns,                                                 \
        .max_idle_usec = (max_idle_sec)*UINT64_C(1000000),                                         \
    }
