/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/report/report.h"

#include "base/str.h"
#include "dispatcherd/report/bulk.h"
#include "dispatcherd/report/events.h"
#include "protocol/connection_id.h"
#include "protocol/debug.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

enum {
    FIELDS_MAX = 8, /* without those for connections */
    CONNECTION_TEXT_MAX = sizeof("DISPATCHER_CONNECTION=") + CONNECTION_ID_BYTES,
    FIELD_TEXT_MAX = 160, /* bytes of one field: the longest is a message of a reason */
    TEXT_MAX = 2048,
};

struct field_set {
    const char *fields[FIELDS_MAX + REPORT_CONNECTIONS_MAX];
    size_t n_fields;
    char texts[FIELDS_MAX][FIELD_TEXT_MAX];
    char connections[REPORT_CONNECTIONS_MAX][CONNECTION_TEXT_MAX];
};

static void add(struct field_set *set, const char *format, ...) _printf_(2, 3);

static void add(struct field_set *set, const char *format, ...)
{
    char *text = set->texts[set->n_fields];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, FIELD_TEXT_MAX, format, arguments);
    va_end(arguments);
    set->fields[set->n_fields++] = text;
}

/* The journal can find a line by each value of a field that occurs several times. To be called
 * after all other fields were added. */
static void add_connections(struct field_set *set, const struct subject *subject)
{
    uint64_t ids[REPORT_CONNECTIONS_MAX];
    char id[CONNECTION_ID_BYTES];
    unsigned n = subject->connections_of ? subject->connections_of(subject->whose, ids) : 0;

    for (unsigned i = 0; i < n; i++) {
        snprintf(set->connections[i], CONNECTION_TEXT_MAX, "DISPATCHER_CONNECTION=%s",
                 connection_id_format(ids[i], id));
        set->fields[set->n_fields++] = set->connections[i];
    }
}

static void collect(struct field_set *set, const struct subject *subject)
{
    char host[ADDRESS_TEXT_MAX], id[CONNECTION_ID_BYTES];

    if (subject->message_id)
        add(set, "MESSAGE_ID=%s", subject->message_id);
    if (subject->service)
        add(set, "DISPATCHER_SERVICE=%s", subject->service);
    if (subject->worker_pid > 0)
        add(set, "DISPATCHER_WORKER_PID=%d", (int)subject->worker_pid);
    if (subject->connection_id > 0)
        add(set, "DISPATCHER_CONNECTION=%s", connection_id_format(subject->connection_id, id));
    if (subject->client) {
        add(set, "DISPATCHER_CLIENT_ADDRESS=%s", address_format_host(subject->client, host));
        add(set, "DISPATCHER_CLIENT_PORT=%u", subject->client->port);
    }
    if (subject->debug_bit)
        add(set, "DISPATCHER_DEBUG_BIT=%d", __builtin_ctz(subject->debug_bit));
    if (subject->reason)
        add(set, "DISPATCHER_REASON=%s", subject->reason);
    add_connections(set, subject);
}

static void write_line(int priority, const struct subject *subject, const char *text)
{
    struct field_set set; /* not initialized: most lines use little of it */

    set.n_fields = 0;
    collect(&set, subject);
    log_line(priority, set.fields, set.n_fields, "%s%s%s", subject->service ? subject->service : "",
             subject->service ? ": " : "", text);
}

static void report_v(int priority, const struct subject *subject, bool may_log, const char *format,
                     va_list arguments)
{
    char text[TEXT_MAX];
    int saved = errno;

    if (!may_log && !events_are_followed())
        return;
    vsnprintf(text, sizeof(text), format, arguments);
    if (may_log)
        write_line(priority, subject, text);
    events_tell("message", priority, subject, text);
    errno = saved;
}

void report(int priority, const struct subject *subject, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    report_v(priority, subject, true, format, arguments);
    va_end(arguments);
}

void report_note(int priority, const struct subject *subject, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    report_v(priority, subject, bulk_take(BULK_NOTES, subject), format, arguments);
    va_end(arguments);
}

static bool may_log_bit(const struct subject *subject)
{
    return bulk_take(subject->debug_bit == DEBUG_REJECTIONS ? BULK_REJECTIONS : BULK_DEBUG,
                     subject);
}

bool report_is_followed(void)
{
    return events_are_followed();
}

void report_event(const char *event, uint32_t mask, uint32_t bits, const struct subject *subject,
                  const char *format, ...)
{
    uint32_t on = mask & bits;
    struct subject with_bit = *subject;
    char text[TEXT_MAX];
    va_list arguments;
    int saved = errno;

    with_bit.debug_bit = on & -on;
    bool may_log = on && may_log_bit(&with_bit);
    if (!may_log && !events_are_followed())
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (may_log)
        write_line(debug_bit_priority(with_bit.debug_bit), &with_bit, text);
    events_tell(event, LOG_INFO, subject, text);
    errno = saved;
}

void report_debug_on(uint32_t on, const struct subject *subject, const char *format, ...)
{
    va_list arguments;

    struct subject with_bit = *subject;
    with_bit.debug_bit = on & -on;
    va_start(arguments, format);
    report_v(debug_bit_priority(with_bit.debug_bit), &with_bit, may_log_bit(&with_bit), format,
             arguments);
    va_end(arguments);
}
