/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "workers/common/line_limit.h"

#include "base/time.h"

#include <signal.h>
#include <stdio.h>
#include <time.h>

static void line_limit_log(const struct line_limit *limit, const dispatcher_worker *worker,
                           const char *text)
{
    dispatcher_worker_log(worker, limit->priority, "%s: %s", limit->kind, text);
}

static int line_limit_wait(struct line_limit *limit, uint64_t until)
{
    struct timespec time = {.tv_sec = (time_t)(until / USEC_PER_SEC),
                            .tv_nsec = (long)(until % USEC_PER_SEC * 1000)};

    if (until == UINT64_MAX)
        return pthread_cond_wait(&limit->change, &limit->lock);
    return pthread_cond_clockwait(&limit->change, &limit->lock, CLOCK_MONOTONIC, &time);
}

static void *line_limit_tell(void *userdata)
{
    struct line_limit *limit = userdata;
    char sum[TALLY_TEXT_BYTES + 64];

    pthread_mutex_lock(&limit->lock);
    while (!limit->is_over) {
        uint64_t now = time_now_usec(CLOCK_MONOTONIC), due = log_limit_due_at(&limit->limit);
        if (now < due) {
            (void)line_limit_wait(limit, due);
        } else if (log_limit_sum_up(&limit->limit, now, sum)) {
            pthread_mutex_unlock(&limit->lock);
            line_limit_log(limit, limit->worker, sum);
            pthread_mutex_lock(&limit->lock);
        }
    }
    pthread_mutex_unlock(&limit->lock);
    return NULL;
}

/* Called with the lock held, after a line was left out. Signals are the main thread's. Without a
 * thread the summary comes at the worker's end. */
static void line_limit_promise(struct line_limit *limit, const dispatcher_worker *worker)
{
    sigset_t all, before;

    if (limit->has_teller) {
        pthread_cond_signal(&limit->change);
        return;
    }
    limit->worker = worker;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    limit->has_teller = pthread_create(&limit->teller, NULL, line_limit_tell, limit) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

bool line_limit_take(struct line_limit *limit, const dispatcher_connection *connection,
                     const char *why)
{
    char name[TALLY_NAME_BYTES];
    const char *host = dispatcher_connection_peer_host(connection);

    snprintf(name, sizeof(name), why ? "of %s (%s)" : "of %s", host, why);
    pthread_mutex_lock(&limit->lock);
    bool was_silent = log_limit_due_at(&limit->limit) == UINT64_MAX;
    bool may = log_limit_take(&limit->limit, time_now_usec(CLOCK_MONOTONIC), true, name);
    if (!may && was_silent)
        line_limit_promise(limit, dispatcher_connection_worker(connection));
    pthread_mutex_unlock(&limit->lock);
    return may;
}

void line_limit_end(struct line_limit *limit, const dispatcher_worker *worker)
{
    char sum[TALLY_TEXT_BYTES + 64];

    pthread_mutex_lock(&limit->lock);
    limit->is_over = true;
    pthread_cond_signal(&limit->change);
    pthread_mutex_unlock(&limit->lock);
    if (limit->has_teller)
        pthread_join(limit->teller, NULL);
    limit->has_teller = false;
    if (log_limit_sum_up(&limit->limit, time_now_usec(CLOCK_MONOTONIC), sum))
        line_limit_log(limit, worker, sum);
}
