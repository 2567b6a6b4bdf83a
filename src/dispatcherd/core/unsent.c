/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/core/unsent.h"

#include "dispatcherd/core/worker.h"

void unsent_init(struct unsent *unsent)
{
    *unsent = (struct unsent){0};
    TAILQ_INIT(&unsent->workers);
}

void unsent_begin(struct worker *worker, uint64_t now)
{
    struct unsent *unsent = &worker->service->unsent;

    if (worker->n_unsent++ == 0)
        TAILQ_INSERT_TAIL(&unsent->workers, worker, unsent_link);
    if (unsent->n++ == 0)
        unsent->since = now;
}

void unsent_end(struct worker *worker, unsigned n)
{
    struct unsent *unsent = &worker->service->unsent;

    if (n == 0)
        return;
    worker->n_unsent -= n;
    unsent->n -= n;
    if (worker->n_unsent == 0)
        TAILQ_REMOVE(&unsent->workers, worker, unsent_link);
}
