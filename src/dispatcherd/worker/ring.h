/* What workers tell of their connections through the ring that each shares with us
 * (protocol/ring.h): read and passed to whom it concerns. */
#pragma once

#include "dispatcherd/core/worker.h"

/* Makes the ring of a worker that wants one. Returns 0 with the descriptor that it is to get, which
 * is CLOEXEC and the caller's, or a negative errno. */
int worker_ring_open(struct worker *worker, int *ret_fd);

/* Acts on all that stands in it, but for one that is being adopted: what it holds comes first.
 * Where there is no ring, does nothing. A worker that lies is given up. Returns true where
 * something was there. */
bool worker_ring_read(struct worker *worker);

/* From now on nothing that the worker writes counts; acts on what it has written of connections
 * before, and frees the ring. */
void worker_ring_close(struct worker *worker);

/* Reads the rings of all workers. Returns true where something was there. */
bool workers_read_rings(struct service *service);

/* What workers are to tell at once (RING_WANTS_*), since we go to sleep over it. Returns true where
 * something was written before they knew: then there is no reason to sleep. */
bool workers_want_news(struct service *service, uint32_t wanted);
