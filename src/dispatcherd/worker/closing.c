/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/worker/closing.h"

#include "base/fd.h"
#include "base/str.h"
#include "base/time.h"
#include "dispatcherd/core/archive.h"
#include "dispatcherd/core/completion.h"
#include "dispatcherd/report/report.h"
#include "dispatcherd/store/store.h"
#include "dispatcherd/worker/exit.h"
#include "dispatcherd/worker/linger.h"
#include "dispatcherd/worker/news.h"
#include "dispatcherd/worker/ring.h"

#include <sys/socket.h>

#define EXIT_TEXT_MAX WORKER_CAUSE_MAX

void worker_leave_pool(struct worker *worker)
{
    struct service *service = worker->service;

    if (worker_in_pool(worker)->state != POOL_WORKER_READY)
        return;
    worker->is_failed_start =
        pool_worker_left(service->pool, worker->slot, time_now_usec(CLOCK_MONOTONIC));
    service->has_failed_start |= worker->is_failed_start;
}

/* What it has not acknowledged by now it never will: the library serves nothing that it cannot
 * acknowledge. So those connections go to others at once. */
static void closing_return_handoffs(struct worker *worker)
{
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);

    for (unsigned i = worker->n_held; i > 0; i--)
        if (worker->held[i - 1]->state == CONNECTION_HANDOFF)
            connection_wait(worker->held[i - 1], now);
}

/* What it said before it died comes first: one that had taken a connection has been useful. */
void worker_close_channel(struct worker *worker)
{
    char name[STORE_NAME_MAX];

    worker->channel_source = sd_event_source_disable_unref(worker->channel_source);
    /* The store has a copy, so that closing ours would not be the end of it. */
    (void)shutdown(worker->channel, SHUT_RDWR);
    worker_ring_close(worker);
    worker_take_last_words(worker);
    worker_leave_pool(worker);
    if (worker->is_stored)
        (void)store_remove(worker_store_name(worker, name));
    worker->is_stored = false;
    if (worker_is_unit(worker))
        worker->peer = take_fd(&worker->channel);
    else
        worker->channel = fd_close(worker->channel);
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
        completion_broken(worker->held[0], now);
}
