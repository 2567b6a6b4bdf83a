/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "workers/common/line_limit.h"

#include "base/time.h"

#include <stdio.h>

/* Called with the lock held. Returns true with the text if there is one. */
static bool line_limit_sum_up(struct line_limit *limit, uint64_t now,
                              char text[TALLY_TEXT_BYTES + 64])
{
    return now >= log_limit_due_at(&limit->limit) && log_limit_sum_up(&limit->limit, now, text);
}

static void line_limit_log(const struct line_limit *limit, const dispatcher_worker *worker,
                           const char *text)
{
    dispatcher_worker_log(worker, limit->priority, "%s: %s", limit->kind, text);
}

bool line_limit_take(struct line_limit *limit, const dispatcher_connection *connection,
                     const char *why)
{
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);
    char sum[TALLY_TEXT_BYTES + 64], name[TALLY_NAME_BYTES];
    const char *host = dispatcher_connection_peer_host(connection);

    snprintf(name, sizeof(name), why ? "of %s (%s)" : "of %s", host, why);
    pthread_mutex_lock(&limit->lock);
    bool may = log_limit_take(&limit->limit, now, true, name);
    bool has_sum = line_limit_sum_up(limit, now, sum);
    pthread_mutex_unlock(&limit->lock);
    if (has_sum)
        line_limit_log(limit, dispatcher_connection_worker(connection), sum);
    return may;
}

void line_limit_end(struct line_limit *limit, const dispatcher_worker *worker)
{
    char sum[TALLY_TEXT_BYTES + 64];

    pthread_mutex_lock(&limit->lock);
    bool has_sum = log_limit_sum_up(&limit->limit, time_now_usec(CLOCK_MONOTONIC), sum);
    pthread_mutex_unlock(&limit->lock);
    if (has_sum)
        line_limit_log(limit, worker, sum);
}
