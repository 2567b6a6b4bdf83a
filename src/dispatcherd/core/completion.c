/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/core/completion.h"

#include "dispatcherd/core/archive.h"
#include "dispatcherd/core/service.h"
#include "dispatcherd/report/report.h"
#include "protocol/debug.h"

static void completion_count(const struct connection *connection, const struct connection_end *end)
{
    struct statistics *statistics = connection->service->statistics;

    switch (end->how) {
    case HISTORY_ENDED:
        statistics_count_ended(statistics, connection->accepted_at, end->at);
        break;
    case HISTORY_FAILED:
        statistics_count_ended(statistics, connection->accepted_at, end->at);
        statistics_count_failed_session(statistics);
        break;
    case HISTORY_SENT_AWAY:
        statistics_count_ended(statistics, connection->accepted_at, end->at);
        statistics_count_sent_away(statistics);
        break;
    case HISTORY_BROKEN:
        statistics_count_broken(statistics, connection->accepted_at, end->at);
        break;
    case HISTORY_GONE:
        statistics_count_gone(statistics);
        break;
    case HISTORY_REJECTED:
        statistics_count_rejected(statistics, end->reason);
        break;
    case HISTORY_UNSERVED:
        statistics_count_unserved(statistics);
        break;
    case N_HISTORY_ENDS:
        break;
    }
}

/* NULL: there is none. */
static const char *completion_reason(const struct connection_end *end)
{
    if (end->how == HISTORY_REJECTED)
        return statistics_rejection_to_string(end->reason);
    return end->how == HISTORY_FAILED || end->how == HISTORY_SENT_AWAY
               ? history_end_to_string(end->how)
               : NULL;
}

static void completion_report(const struct connection *connection, const struct connection_end *end)
{
    static const char *const events[N_HISTORY_ENDS] = {
        [HISTORY_ENDED] = "connection ended",       [HISTORY_BROKEN] = "connection broken",
        [HISTORY_GONE] = "connection gone",         [HISTORY_REJECTED] = "connection rejected",
        [HISTORY_UNSERVED] = "connection unserved", [HISTORY_FAILED] = "connection ended",
        [HISTORY_SENT_AWAY] = "connection ended",
    };
    const struct service_options *options = connection->service->options;
    const char *reason = completion_reason(end);
    const struct subject subject = {.service = options->name,
                                    .worker_pid = connection_worker_pid(connection),
                                    .connection_id = connection->id,
                                    .client = &connection->peer,
                                    .reason = reason};
    char peer[ADDRESS_TEXT_MAX];

    if (!(options->debug & DEBUG_STATISTICS_EXTRA) && !report_is_followed())
        return;
    report_event(events[end->how], options->debug, DEBUG_STATISTICS_EXTRA, &subject,
                 "%s: %s%s%s after %llu ms", address_format(&connection->peer, peer),
                 events[end->how], reason ? ": " : "", reason ? reason : "",
                 (unsigned long long)(end->at - connection->accepted_at) / 1000);
}

void completion_record(struct connection *connection, const struct connection_end *end)
{
    completion_count(connection, end);
    archive_connection(connection, end);
    completion_report(connection, end);
    connection_close(connection, end->at);
}

void completion_end(struct connection *connection, enum history_end how, uint64_t now)
{
    completion_record(connection, &(struct connection_end){.how = how, .at = now});
}
