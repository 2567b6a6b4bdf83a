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
