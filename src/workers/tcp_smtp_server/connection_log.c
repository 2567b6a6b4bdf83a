/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "workers/tcp_smtp_server/connection_log.h"

#include "base/log_limit.h"
#include "base/time.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

/* journald takes 10,000 lines of a unit in 30 s, and drops any beyond (journald.conf(5)). */
#define LIMIT LOG_LIMIT_INIT(500, 10)

/* By priority, so that what clients do (notice) hides no failure of ours (err). A delivered message
 * (info) always has its line. */
static struct {
    pthread_mutex_t lock;
    struct log_limit limits[LOG_NOTICE + 1];
} shared = {
    .lock = PTHREAD_MUTEX_INITIALIZER,
    .limits = {[LOG_ERR] = LIMIT, [LOG_WARNING] = LIMIT, [LOG_NOTICE] = LIMIT},
};

static struct log_limit *limit_for(int priority)
{
    return priority >= LOG_ERR && priority <= LOG_NOTICE ? &shared.limits[priority] : NULL;
}

/* Whose line it is, and what it is about: the words before the first colon. */
static void name_line(const dispatcher_connection *connection, const char *text,
                      char name[TALLY_NAME_BYTES])
{
    snprintf(name, TALLY_NAME_BYTES, "%s (%.*s)", dispatcher_connection_peer_host(connection),
             (int)strcspn(text, ":"), text);
}

static void sum_up(const dispatcher_worker *worker, int priority, uint64_t now)
{
    char text[TALLY_TEXT_BYTES + 64];

    if (log_limit_sum_up(limit_for(priority), now, text))
        dispatcher_worker_log(worker, priority, "%s", text);
}

void connection_log(void *userdata, int priority, const char *text)
{
    const dispatcher_connection *connection = userdata;
    struct log_limit *limit = limit_for(priority);
    bool may_log = true;
    char name[TALLY_NAME_BYTES];

    if (limit) {
        uint64_t now = time_now_usec(CLOCK_MONOTONIC);

        name_line(connection, text, name);
        pthread_mutex_lock(&shared.lock);
        may_log = log_limit_take(limit, now, true, name);
        if (now >= log_limit_due_at(limit))
            sum_up(dispatcher_connection_worker(connection), priority, now);
        pthread_mutex_unlock(&shared.lock);
    }
    if (may_log)
        dispatcher_connection_log(connection, priority, "%s", text);
}

void connection_log_end(dispatcher_worker *worker)
{
    for (int priority = LOG_ERR; priority <= LOG_NOTICE; priority++)
        sum_up(worker, priority, time_now_usec(CLOCK_MONOTONIC));
}
