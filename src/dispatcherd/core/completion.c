/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/core/completion.h"

#include "dispatcherd/core/archive.h"
#include "dispatcherd/report/report.h"
#include "protocol/debug.h"

static bool is_told(const struct service *service)
{
    return (service->options->debug & DEBUG_STATISTICS_EXTRA) || report_is_followed();
}

/* `reason` is that of a rejection; NULL otherwise. */
static void tell(const struct connection *connection, const char *event, const char *reason,
                 uint64_t now)
{
    const struct service_options *options = connection->service->options;
    const struct subject subject = {.service = options->name,
                                    .worker_pid = connection->worker ? connection->worker->pid : 0,
                                    .connection_id = connection->id,
                                    .client = &connection->peer,
                                    .reason = reason};
    char peer[ADDRESS_TEXT_MAX];

    report_event(event, options->debug, DEBUG_STATISTICS_EXTRA, &subject,
                 "%s: %s%s%s after %llu ms", address_format(&connection->peer, peer), event,
                 reason ? ": " : "", reason ? reason : "",
                 (unsigned long long)(now - connection->accepted_at) / 1000);
}

static void finish(struct connection *connection, const char *event, enum history_end end,
                   enum statistics_rejection rejection, uint64_t now)
{
    const char *reason = end == HISTORY_REJECTED ? statistics_rejection_to_string(rejection) : NULL;

    archive_connection(connection, end, rejection, now);
    if (is_told(connection->service))
        tell(connection, event, reason, now);
    connection_close(connection, now);
}

void completion_ended(struct connection *connection, uint64_t now)
{
    statistics_count_ended(connection->service->statistics, connection->accepted_at, now);
    finish(connection, "connection ended", HISTORY_ENDED, 0, now);
}

void completion_broken(struct connection *connection, uint64_t now)
{
    statistics_count_broken(connection->service->statistics, connection->accepted_at, now);
    finish(connection, "connection broken", HISTORY_BROKEN, 0, now);
}

void completion_gone(struct connection *connection, uint64_t now)
{
    statistics_count_gone(connection->service->statistics);
    finish(connection, "connection gone", HISTORY_GONE, 0, now);
}

void completion_rejected(struct connection *connection, enum statistics_rejection reason,
                         uint64_t now)
{
    statistics_count_rejected(connection->service->statistics, reason);
    finish(connection, "connection rejected", HISTORY_REJECTED, reason, now);
}

void completion_unserved(struct connection *connection, uint64_t now)
{
    statistics_count_unserved(connection->service->statistics);
    finish(connection, "connection unserved", HISTORY_UNSERVED, 0, now);
}
