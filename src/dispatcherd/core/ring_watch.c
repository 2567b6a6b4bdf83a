/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/core/ring_watch.h"

#include "dispatcherd/core/worker.h"

void ring_watch_init(struct ring_watch *watch)
{
    *watch = (struct ring_watch){0};
    TAILQ_INIT(&watch->answering);
    TAILQ_INIT(&watch->recent);
}

static unsigned *ring_watch_counter(struct ring_watch *watch, const struct ring_watch_queue *queue)
{
    return queue == &watch->answering ? &watch->n_answering : &watch->n_recent;
}

static void ring_watch_begin(struct worker *worker, struct ring_watch_queue *queue)
{
    ring_watch_end(worker);
    worker->watched.queue = queue;
    TAILQ_INSERT_TAIL(queue, worker, watched.link);
    (*ring_watch_counter(&worker->service->ring_watch, queue))++;
}

void ring_watch_answering(struct worker *worker)
{
    ring_watch_begin(worker, &worker->service->ring_watch.answering);
}

void ring_watch_recent(struct worker *worker, uint64_t until)
{
    worker->watched.until = until;
    ring_watch_begin(worker, &worker->service->ring_watch.recent);
}

void ring_watch_end(struct worker *worker)
{
    struct ring_watch_queue *queue = worker->watched.queue;

    if (!queue)
        return;
    TAILQ_REMOVE(queue, worker, watched.link);
    (*ring_watch_counter(&worker->service->ring_watch, queue))--;
    worker->watched.queue = NULL;
}
