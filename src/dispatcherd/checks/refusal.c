/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/checks/refusal.h"

#include "base/fd.h"
#include "base/str.h"
#include "base/time.h"
#include "dispatcherd/checks/access.h"
#include "dispatcherd/core/completion.h"
#include "dispatcherd/core/context.h"
#include "dispatcherd/core/service.h"
#include "dispatcherd/report/message_ids.h"
#include "dispatcherd/report/report.h"
#include "protocol/debug.h"

#include <arpa/inet.h>

/* A zone, an address, and what the list says. */
#define LIST_TEXT_MAX (DNS_ZONE_MAX + INET_ADDRSTRLEN + DNS_TEXT_MAX + 20)

/* How often a check that has failed is reported. */
#define FAULT_INTERVAL_USEC (60 * USEC_PER_SEC)

/* The text without its line ends, which would break the log line. */
static const char *one_line(const struct refusal *refusal, char *text, size_t size)
{
    size_t n = 0;

    for (size_t i = 0; i < refusal->text_length && n + 1 < size; i++)
        if (refusal->text[i] != '\r')
            text[n++] = refusal->text[i] == '\n' ? ' ' : refusal->text[i];
    while (n > 0 && text[n - 1] == ' ')
        n--;
    text[n] = '\0';
    return text;
}

bool refusal_is_told(const struct connection *connection)
{
    return connection->service->options->debug & DEBUG_REFUSALS;
}

/* Which list has the client, with what address, and why; "" if none has. Its text is printable
 * ASCII. */
static void describe_list(const struct dns_lists_answer *list, char *text, size_t size)
{
    struct str_buffer buffer = str_buffer_init(text, size);
    char address[INET_ADDRSTRLEN];

    if (!list->is_listed || !list->zone)
        return;
    str_buffer_add(&buffer, "; list %s: %s", list->zone,
                   inet_ntop(AF_INET, &list->address, address, sizeof(address)));
    if (list->text)
        str_buffer_add(&buffer, ", \"%s\"", list->text);
}

/* In the words of dispatcherd-journal(7). */
static void tell(const struct connection *connection, const struct refusal *refusal)
{
    const struct service_options *options = connection->service->options;
    const struct subject subject = {
        .service = options->name,
        .connection_id = connection->id,
        .client = &connection->peer,
        .reason = statistics_rejection_to_string(refusal->reason),
        .message_id = MESSAGE_ID_ACCESS_DENIED,
    };
    char host[ADDRESS_TEXT_MAX], text[REJECTION_TEXT_MAX_BYTES], list[LIST_TEXT_MAX];

    if (!refusal_is_told(connection))
        return;
    describe_list(&refusal->list, list, sizeof(list));
    address_format_host(&connection->peer, host);
    if (refusal->list.zone && !refusal->entry)
        report_debug(options->debug, DEBUG_REFUSALS, &subject,
                     "access_control: host %s found on DNS list and rejected%s", host, list);
    else if (refusal->entry)
        report_debug(options->debug, DEBUG_REFUSALS, &subject,
                     "access_control: host %s rejected by PORT_ACCESS, service %s, port %u, entry "
                     "%s:%u: %s%s",
                     host, options->name, connection->local.port, refusal->entry->file,
                     refusal->entry->line, one_line(refusal, text, sizeof(text)), list);
    else
        report_debug(options->debug, DEBUG_REFUSALS, &subject,
                     "access_control: host %s rejected, service %s, port %u: %s", host,
                     options->name, connection->local.port, refusal->what);
}

/* A check that failed is nobody's decision, so it is reported whatever DEBUG says. */
static void tell_fault(const struct connection *connection, const struct refusal *refusal)
{
    struct service *service = connection->service;
    const struct subject subject = {.service = service->options->name,
                                    .connection_id = connection->id,
                                    .client = &connection->peer,
                                    .reason = statistics_rejection_to_string(refusal->reason)};
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);

    if (refusal->reason != REJECTED_FOR_ERROR ||
        (service->fault_told_at > 0 && now < service->fault_told_at + FAULT_INTERVAL_USEC))
        return;
    service->fault_told_at = now;
    report(LOG_ERR, &subject, "closing a connection because its check failed: %s", refusal->what);
}

enum statistics_rejection refusal_cause(enum callout_routine routine)
{
    switch (routine) {
    case CALLOUT_DNS_LIST:
        return REJECTED_BY_DNS_LIST;
    case CALLOUT_THROTTLE:
    case CALLOUT_THROTTLE_PENALTY:
        return REJECTED_BY_THROTTLE;
    case CALLOUT_CONCURRENT:
        return REJECTED_FOR_ADDRESS;
    }
    return REJECTED_BY_MAPPING;
}

/* What decided, in words, for the alert of a service that refuses everybody. */
static void note(struct service *service, const struct refusal *refusal)
{
    char detail[REFUSAL_RUN_DETAIL_MAX];
    struct str_buffer text = str_buffer_init(detail, sizeof(detail));

    if (refusal->entry)
        str_buffer_add(&text, "entry %s:%u", refusal->entry->file, refusal->entry->line);
    else if (refusal->list.zone)
        str_buffer_add(&text, "%s", refusal->list.zone);
    else if (refusal->what)
        str_buffer_add(&text, "%s", refusal->what);
    refusal_run_note(&service->refusals, refusal->reason, detail);
}

void refusal_carry_out(struct connection *connection, const struct refusal *refusal)
{
    struct access *access = connection->service->context->access;

    tell(connection, refusal);
    tell_fault(connection, refusal);
    note(connection->service, refusal);
    rejection_send(access->rejections, &connection->fd, refusal->text,
                   connection->is_tls ? 0 : refusal->text_length);
    completion_rejected(connection, refusal->reason, time_now_usec(CLOCK_MONOTONIC));
}
