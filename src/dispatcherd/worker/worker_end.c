/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/worker/worker_end.h"

#include "base/str.h"
#include "base/time.h"
#include "dispatcherd/core/archive.h"
#include "dispatcherd/core/passed_on.h"
#include "dispatcherd/messages/news.h"
#include "dispatcherd/messages/worker_ring.h"
#include "dispatcherd/report/report.h"
#include "dispatcherd/worker/exit.h"
#include "dispatcherd/worker/linger.h"

#include <sys/socket.h>

#define EXIT_TEXT_MAX WORKER_CAUSE_MAX

void worker_leave_pool(struct worker *worker)
{
    struct service *service = worker->service;

    if (worker_in_pool(worker)->state != POOL_WORKER_READY)
        return;
    worker->is_failed_start =
        pool_worker_left(service->pool, worker->slot, time_now_usec(CLOCK_MONOTONIC));
    if (worker->is_failed_start)
        failed_starts_note_useless(&service->failed_starts);
}

/* The library serves no connection that it cannot acknowledge. So the connections that are not
 * acknowledged go to other workers at once. */
static void closing_return_handoffs(struct worker *worker)
{
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);

    for (unsigned i = worker->n_held; i > 0; i--)
        if (worker->held[i - 1]->state == CONNECTION_HANDOFF)
            connection_wait(worker->held[i - 1], now);
}

/* What the worker wrote before it ended is handled first: it may have taken a connection, which
 * counts as useful. */
void worker_close_channel(struct worker *worker)
{
    /* The store has a copy of the channel, so closing ours would not end it. */
    (void)shutdown(worker->channel, SHUT_RDWR);
    worker->has_drained |= worker_ring_close(worker);
    worker->has_drained |= news_take_last_words(worker);
    worker_leave_pool(worker);
    worker_close(worker, worker_is_unit(worker));
    closing_return_handoffs(worker);
}

static void closing_report_end(const struct worker *worker, const struct worker_exit *exit,
                               uint64_t now)
{
    struct subject subject = worker_subject(worker, NULL);
    uint64_t n_total = worker_in_pool(worker)->n_total;

    archive_worker(worker, exit, now);
    report_event("worker ended", 0, 0, &subject, "worker %d %s after %llu %s", (int)worker->pid,
                 exit->cause, (unsigned long long)n_total,
                 str_plural(n_total, "connection", "connections"));
}

void worker_conclude(struct worker *worker, const siginfo_t *info)
{
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);
    char text[EXIT_TEXT_MAX];
    struct worker_exit exit = worker_exit_describe(worker, info, text, sizeof(text));

    worker_exit_report(worker, info, text);
    closing_report_end(worker, &exit, now);
    while (worker->n_held > 0)
        passed_on_or_broken(worker->held[0], now);
}
