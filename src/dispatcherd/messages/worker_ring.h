/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Reads what workers report about their connections in the rings that they share with the daemon
 * (protocol/ring.h). */
#pragma once

#include "dispatcherd/core/worker.h"

/* Makes the ring of a worker that wants one. Returns 0 with the descriptor for the worker, which is
 * CLOEXEC and the caller's, or a negative errno. */
int worker_ring_open(struct worker *worker, int *ret_fd);

enum worker_ring_news {
    WORKER_RING_READ,   /* all entries were read, if there were any */
    WORKER_RING_DRAINS, /* the worker has announced a drain: handle that, and read on */
    WORKER_RING_BROKEN  /* the worker has broken a rule, which is in *ret_rule */
};

/* Handles its entries about connections; not yet for an adopted worker, which must report first
 * what it holds. Does nothing without a ring. *ret_has_read becomes true if there were entries. */
enum worker_ring_news worker_ring_read(struct worker *worker, bool *ret_has_read,
                                       const char **ret_rule);

/* From now on nothing counts that the worker writes. Handles what it has written about connections
 * before, and frees the ring. Returns whether it has announced a drain there. */
bool worker_ring_close(struct worker *worker);
