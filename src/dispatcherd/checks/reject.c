/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/checks/reject.h"

#include "base/str.h"
#include "base/time.h"
#include "dispatcherd/checks/admission.h"
#include "dispatcherd/checks/check_report.h"
#include "dispatcherd/core/context.h"
#include "dispatcherd/core/service.h"
#include "dispatcherd/report/message_ids.h"
#include "dispatcherd/report/report.h"
#include "protocol/debug.h"

#include <arpa/inet.h>

/* A zone, an address, and the text of the list. */
#define LIST_TEXT_MAX (DNS_ZONE_MAX + INET_ADDRSTRLEN + DNS_TEXT_MAX + 20)

/* How often a failed check is reported. */
#define FAULT_INTERVAL_USEC (60 * USEC_PER_SEC)

/* The text without its line ends, which would break the log line. */
static const char *one_line(const struct connection_end *end, char *text, size_t size)
{
    size_t n = 0;

    for (size_t i = 0; i < end->text_length && n + 1 < size; i++)
        if (end->text[i] != '\r')
            text[n++] = end->text[i] == '\n' ? ' ' : end->text[i];
    while (n > 0 && text[n - 1] == ' ')
        n--;
    text[n] = '\0';
    return text;
}

bool reject_is_logged(const struct connection *connection)
{
    return connection->service->options->debug & DEBUG_REJECTIONS;
}

/* Which list contains the client, with what address, and the list's text; "" if none does. The text
 * is printable ASCII. */
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

/* Reports the rejection in the words of dispatcherd-journal(7). */
static void tell(const struct connection *connection, const struct connection_end *end)
{
    const struct service_options *options = connection->service->options;
    const struct subject subject = {
        .service = options->name,
        .connection_id = connection->id,
        .client = &connection->peer,
        .reason = statistics_rejection_to_string(end->reason),
        .message_id = MESSAGE_ID_ACCESS_DENIED,
    };
    char host[ADDRESS_TEXT_MAX], text[REJECTION_TEXT_MAX_BYTES], list[LIST_TEXT_MAX];

    if (!reject_is_logged(connection))
        return;
    describe_list(&end->list, list, sizeof(list));
    address_format_host(&connection->peer, host);
    if (end->list.zone && !end->entry)
        report_debug(options->debug, DEBUG_REJECTIONS, &subject,
                     "access_control: host %s found on DNS list and rejected%s", host, list);
    else if (end->entry)
        report_debug(options->debug, DEBUG_REJECTIONS, &subject,
                     "access_control: host %s rejected by PORT_ACCESS, service %s, port %u, entry "
                     "%s:%u: %s%s",
                     host, options->name, connection->local.port, end->entry->file,
                     end->entry->line, one_line(end, text, sizeof(text)), list);
    else
        report_debug(options->debug, DEBUG_REJECTIONS, &subject,
                     "access_control: host %s rejected, service %s, port %u: %s%s", host,
                     options->name, connection->local.port,
                     end->reason == REJECTED_FOR_PROXY_HEADER ? "PROXY header: " : "", end->what);
}

/* A check that failed is nobody's decision, so it is reported whatever DEBUG is. */
static void tell_fault(const struct connection *connection, const struct connection_end *end)
{
    struct service *service = connection->service;
    const struct subject subject = {.service = service->options->name,
                                    .connection_id = connection->id,
                                    .client = &connection->peer,
                                    .reason = statistics_rejection_to_string(end->reason)};

    if (end->reason == REJECTED_FOR_ERROR &&
        time_take_turn(&service->fault_told_at, end->at, FAULT_INTERVAL_USEC))
        report(LOG_ERR, &subject, "closing a connection because its check failed: %s", end->what);
}

enum statistics_rejection reject_cause(enum callout_routine routine)
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

/* Notes what decided, in words, for the alert of a service that rejects all clients. */
static void note(struct service *service, const struct connection_end *end)
{
    char detail[REJECTION_RUN_DETAIL_MAX];
    struct str_buffer text = str_buffer_init(detail, sizeof(detail));

    if (end->entry)
        str_buffer_add(&text, "entry %s:%u", end->entry->file, end->entry->line);
    else if (end->list.zone)
        str_buffer_add(&text, "%s", end->list.zone);
    else if (end->what)
        str_buffer_add(&text, "%s", end->what);
    rejection_run_note(&service->rejections, end->reason, detail);
}

void reject_connection(struct connection *connection, const struct connection_end *end)
{
    struct admission *admission = connection->service->context->admission;

    check_report_rejected(connection, end);
    tell(connection, end);
    tell_fault(connection, end);
    note(connection->service, end);
    rejection_send(admission->rejections, &connection->fd, end->text,
                   connection->is_tls ? 0 : end->text_length);
    completion_record(connection, end);
}
