/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* A limit for one kind of log lines about connections, which clients can cause at will. It holds
 * for the whole process; what is left out is summed up. journald accepts 10,000 lines of a unit in
 * 30 s, and drops all others (journald.conf(5)). */
#pragma once

#include "base/log_limit.h"

#include <dispatcher/worker.h>
#include <pthread.h>

struct line_limit {
    pthread_mutex_t lock; /* of the limit, and of what the teller reads */
    struct log_limit limit;
    int priority;     /* of the summary */
    const char *kind; /* what the summary begins with */

    /* A thread that logs summaries as they are due; begun with the first line that is left out. */
    pthread_t teller;
    bool has_teller;
    bool is_over;
    pthread_cond_t change;
    const dispatcher_worker *worker;
};

/* `burst` lines at once, then `per_sec` lines a second. */
#define LINE_LIMIT_INIT(kind_, priority_, burst, per_sec)                                          \
    {                                                                                              \
        .lock = PTHREAD_MUTEX_INITIALIZER, .limit = LOG_LIMIT_INIT(burst, per_sec),                \
        .priority = (priority_), .kind = (kind_), .change = PTHREAD_COND_INITIALIZER               \
    }

/* Returns true if the line may be written. If not, it is counted under its client and `why`, which
 * may be NULL, and summed up within LOG_LIMIT_SUM_USEC. May be called by any thread. */
bool line_limit_take(struct line_limit *limit, const dispatcher_connection *connection,
                     const char *why);

/* At the worker's end, after the last line_limit_take(): logs the summary, if there is one, and
 * frees what the limit has. */
void line_limit_end(struct line_limit *limit, const dispatcher_worker *worker);
