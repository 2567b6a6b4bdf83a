/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/checks/check_report.h"

#include "base/str.h"
#include "base/time.h"
#include "dispatcherd/checks/admission.h"
#include "dispatcherd/core/context.h"
#include "dispatcherd/core/service.h"
#include "dispatcherd/report/message_ids.h"
#include "dispatcherd/report/report.h"

static struct subject subject_of(const struct connection *connection, const char *message_id)
{
    return (struct subject){
        .service = connection->service->options->name,
        .connection_id = connection->id,
        .client = &connection->peer,
        .message_id = message_id,
    };
}

/* A table that is wrong for a client is wrong for each of its connections. */
#define LIMIT_INTERVAL_USEC (60 * USEC_PER_SEC)

void check_report_limit(const struct connection *connection)
{
    const struct subject subject = subject_of(connection, MESSAGE_ID_MAPPING_LIMIT);
    struct admission *admission = connection->service->context->admission;
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);

    admission->n_limits++;
    if (!time_take_turn(&admission->limit_told_at, now, LIMIT_INTERVAL_USEC))
        return;
    report(LOG_ERR, &subject,
           "PORT_ACCESS takes too many steps to decide, so the client is admitted (%lu %s so far); "
           "tables call each other or restart endlessly",
           admission->n_limits, str_plural(admission->n_limits, "time", "times"));
}

void check_report_notes(const struct connection *connection, const struct port_access *verdict,
                        enum statistics_rejection reason)
{
    struct subject subject = subject_of(connection, MESSAGE_ID_MAPPING_NOTE);

    if (verdict->is_rejected)
        subject.reason = statistics_rejection_to_string(reason);
    if (verdict->match_note[0])
        report_note(LOG_NOTICE, &subject, "%s", verdict->match_note);
    if (verdict->is_rejected && verdict->reject_note[0])
        report_note(LOG_NOTICE, &subject, "%s", verdict->reject_note);
}

static struct access_decision_facts facts_of(const struct connection *connection,
                                             const struct mapping_entry *entry, uint64_t now)
{
    return (struct access_decision_facts){
        .at = now,
        .connection_id = connection->id,
        .client = &connection->peer,
        .local = &connection->local,
        .service = connection->service->options->name,
        .file = entry ? entry->file : NULL,
        .line = entry ? entry->line : 0,
        .pattern = entry ? entry->text : NULL,
    };
}

void check_report_passed(const struct connection *connection, const struct mapping_entry *entry,
                         uint64_t now)
{
    const struct access_decision_facts facts = facts_of(connection, entry, now);

    decisions_note(connection->service->context->admission->decisions, &facts);
}

void check_report_rejected(const struct connection *connection, const struct connection_end *end)
{
    struct access_decision_facts facts = facts_of(connection, end->entry, end->at);

    facts.reason = statistics_rejection_to_string(end->reason);
    facts.zone = end->entry ? NULL : end->list.zone;
    facts.detail = end->what;
    facts.text = end->text;
    facts.n_text = connection->is_tls ? 0 : end->text_length;
    decisions_note(connection->service->context->admission->decisions, &facts);
}
