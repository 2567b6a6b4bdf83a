/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What workers tell of their connections through the ring that each shares with us
 * (protocol/ring.h): read and passed to whom it concerns. */
#pragma once

#include "dispatcherd/core/worker.h"

/* Makes the ring of a worker that wants one. Returns 0 with the descriptor that it is to get, which
 * is CLOEXEC and the caller's, or a negative errno. */
int worker_ring_open(struct worker *worker, int *ret_fd);

enum worker_ring_news {
    WORKER_RING_READ,   /* all that stood in it was read; perhaps nothing */
    WORKER_RING_DRAINS, /* the worker has written that it drains: act on that, and read on */
    WORKER_RING_BROKEN  /* the worker has broken a rule, which is in *ret_rule */
};

/* Acts on what stands in it of connections, but for an adopted worker: what it holds comes first.
 * Without a ring, does nothing. *ret_has_read becomes true if anything stood there. */
enum worker_ring_news worker_ring_read(struct worker *worker, bool *ret_has_read,
                                       const char **ret_rule);

/* From now on nothing that the worker writes counts; acts on what it has written of connections
 * before, and frees the ring. */
void worker_ring_close(struct worker *worker);
