/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "workers/common/line_limit.h"

#include "base/macro.h"
#include "base/time.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

/* The kinds that owe a summary, the earliest first: each is due as long after its first line that
 * was left out. The teller is the thread that logs summaries as they are due; it begins with the
 * first of them. */
static struct {
    pthread_mutex_t lock; /* of all that follows, and of all limits */
    pthread_cond_t change;
    TAILQ_HEAD(, line_limit) due;
    const dispatcher_worker *worker;
    pthread_t teller;
    bool has_teller;
    bool is_over;
} limits = {
    .lock = PTHREAD_MUTEX_INITIALIZER,
    .change = PTHREAD_COND_INITIALIZER,
    .due = TAILQ_HEAD_INITIALIZER(limits.due),
};

static int line_limits_wait(uint64_t until)
{
    struct timespec time = {.tv_sec = (time_t)(until / USEC_PER_SEC),
                            .tv_nsec = (long)(until % USEC_PER_SEC * 1000)};

    if (until == UINT64_MAX)
        return pthread_cond_wait(&limits.change, &limits.lock);
    return pthread_cond_clockwait(&limits.change, &limits.lock, CLOCK_MONOTONIC, &time);
}

/* Called with the lock held, which is released for the line: no session waits for the log. */
static void line_limit_sum_up(struct line_limit *limit)
{
    const dispatcher_worker *worker = limits.worker;
    char sum[TALLY_TEXT_BYTES + 64];

    TAILQ_REMOVE(&limits.due, limit, entry);
    limit->is_due = false;
    bool has_sum = log_limit_sum_up(&limit->limit, time_now_usec(CLOCK_MONOTONIC), sum);
    pthread_mutex_unlock(&limits.lock);
    if (has_sum)
        dispatcher_worker_log(worker, limit->priority, "%s: %s", limit->kind, sum);
    pthread_mutex_lock(&limits.lock);
}

static void *line_limits_tell(void *userdata _unused_)
{
    pthread_mutex_lock(&limits.lock);
    while (!limits.is_over) {
        struct line_limit *first = TAILQ_FIRST(&limits.due);
        uint64_t due = first ? log_limit_due_at(&first->limit) : UINT64_MAX;
        if (time_now_usec(CLOCK_MONOTONIC) < due)
            (void)line_limits_wait(due);
        else
            line_limit_sum_up(first);
    }
    pthread_mutex_unlock(&limits.lock);
    return NULL;
}

/* Called with the lock held. Signals are the main thread's. Without a thread the summaries come at
 * the worker's end. */
static void line_limits_begin_teller(void)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    limits.has_teller = pthread_create(&limits.teller, NULL, line_limits_tell, NULL) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* Called with the lock held, after a line was left out. */
static void line_limit_promise(struct line_limit *limit, const dispatcher_worker *worker)
{
    if (limit->is_due)
        return;
    limit->is_due = true;
    TAILQ_INSERT_TAIL(&limits.due, limit, entry);
    limits.worker = worker;
    if (limits.has_teller)
        pthread_cond_signal(&limits.change);
    else
        line_limits_begin_teller();
}

bool line_limit_take(struct line_limit *limit, const dispatcher_connection *connection,
                     const char *why)
{
    char name[TALLY_NAME_BYTES];
    const char *host = dispatcher_connection_peer_host(connection);

    snprintf(name, sizeof(name), why ? "of %s (%s)" : "of %s", host, why);
    pthread_mutex_lock(&limits.lock);
    bool may = log_limit_take(&limit->limit, time_now_usec(CLOCK_MONOTONIC), true, name);
    if (!may)
        line_limit_promise(limit, dispatcher_connection_worker(connection));
    pthread_mutex_unlock(&limits.lock);
    return may;
}

void line_limits_end(void)
{
    struct line_limit *limit;

    pthread_mutex_lock(&limits.lock);
    limits.is_over = true;
    pthread_cond_signal(&limits.change);
    pthread_mutex_unlock(&limits.lock);
    if (limits.has_teller)
        pthread_join(limits.teller, NULL);

    pthread_mutex_lock(&limits.lock);
    limits.has_teller = limits.is_over = false;
    while ((limit = TAILQ_FIRST(&limits.due)))
        line_limit_sum_up(limit);
    pthread_mutex_unlock(&limits.lock);
}
