/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Limits for kinds of log lines about connections, which clients can cause at will. They hold for
 * the whole process; what is left out is summed up, by one thread for all kinds. journald accepts
 * 10,000 lines of a unit in 30 s, and drops all others (journald.conf(5)). */
#pragma once

#include "base/log_limit.h"

#include <dispatcher/worker.h>
#include <sys/queue.h>

/* Of one kind of lines. It has to live until line_limits_end(). */
struct line_limit {
    struct log_limit limit;
    int priority;     /* of the summary */
    const char *kind; /* what the summary begins with */

    bool is_due; /* in the list of those that owe a summary */
    TAILQ_ENTRY(line_limit) entry;
};

/* `burst` lines at once, then `per_sec` lines a second. */
#define LINE_LIMIT_INIT(kind_, priority_, burst, per_sec)                                          \
    {                                                                                              \
        .limit = LOG_LIMIT_INIT(burst, per_sec), .priority = (priority_), .kind = (kind_)          \
    }

/* Returns true if the line may be written. If not, it is counted under its client and `why`, which
 * may be NULL, and summed up within LOG_LIMIT_SUM_USEC. May be called by any thread. */
bool line_limit_take(struct line_limit *limit, const dispatcher_connection *connection,
                     const char *why);

/* At the worker's end, after the last line_limit_take(): logs the summaries that are owed, of all
 * kinds, and ends the thread. */
void line_limits_end(void);
