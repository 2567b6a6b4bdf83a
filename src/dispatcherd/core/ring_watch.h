/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Whose ring is looked at (worker/ring_poll.c), without being asked to: of the workers of a service
 * those that are likely to have news. The others send NEWS. */
#pragma once

#include <stdint.h>
#include <sys/queue.h>

struct worker;

TAILQ_HEAD(ring_watch_queue, worker);

/* Of a service; written by this module alone. Who was not looked at for longest comes first. */
struct ring_watch {
    struct ring_watch_queue answering; /* they were handed connections, and are to answer */
    struct ring_watch_queue recent;    /* they had news a moment ago, and hold connections */
    unsigned n_answering;
    unsigned n_recent;
};

/* Of a worker; written by this module alone. */
struct ring_watched {
    struct ring_watch_queue *queue; /* NULL: it is not looked at */
    TAILQ_ENTRY(worker) link;
    uint64_t until; /* then its news are no longer recent; CLOCK_MONOTONIC, in microseconds */
};

void ring_watch_init(struct ring_watch *watch);

/* The worker, which has a ring, is to answer, or has had news: behind all others of its kind. */
void ring_watch_answering(struct worker *worker);
void ring_watch_recent(struct worker *worker, uint64_t until);

/* It is not looked at any more. */
void ring_watch_end(struct worker *worker);
