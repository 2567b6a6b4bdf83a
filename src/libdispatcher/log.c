/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Log lines of the program, with what the library knows about the worker and the connection. */
#include "libdispatcher/internal.h"

#include "base/log.h"

#include <stdio.h>
#include <unistd.h>

enum {
    FIELDS_MAX = 5,
    FIELD_TEXT_MAX = 96, /* bytes: names of services and addresses are shorter */
    TEXT_MAX = 1536,     /* bytes: this is on the stack of a session, which may be small */
};

struct field_set {
    const char *fields[FIELDS_MAX];
    size_t n_fields;
    char texts[FIELDS_MAX][FIELD_TEXT_MAX];
};

static void add_field(struct field_set *set, const char *format, ...) _printf_(2, 3);

static void add_field(struct field_set *set, const char *format, ...)
{
    char *text = set->texts[set->n_fields];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, FIELD_TEXT_MAX, format, arguments);
    va_end(arguments);
    set->fields[set->n_fields++] = text;
}

static void add_worker(struct field_set *set, const dispatcher_worker *worker)
{
    add_field(set, "DISPATCHER_SERVICE=%s", worker->welcome.service);
    add_field(set, "DISPATCHER_WORKER_PID=%d", (int)getpid());
}

void dispatcher_worker_log_v(const dispatcher_worker *worker, int priority, const char *format,
                             va_list arguments)
{
    struct field_set set;
    char text[TEXT_MAX];

    set.n_fields = 0;
    vsnprintf(text, sizeof(text), format, arguments);
    add_worker(&set, worker);
    log_line(priority, set.fields, set.n_fields, "%s: %s", worker->welcome.service, text);
}

void dispatcher_connection_log_v(const dispatcher_connection *connection, int priority,
                                 const char *format, va_list arguments)
{
    const char *id = dispatcher_connection_id(connection);
    const char *host = dispatcher_connection_peer_host(connection);
    struct field_set set;
    char text[TEXT_MAX];

    set.n_fields = 0;
    vsnprintf(text, sizeof(text), format, arguments);
    add_worker(&set, connection->worker);
    add_field(&set, "DISPATCHER_CONNECTION=%s", id);
    add_field(&set, "DISPATCHER_CLIENT_ADDRESS=%s", host);
    add_field(&set, "DISPATCHER_CLIENT_PORT=%u", dispatcher_connection_peer_port(connection));
    log_line(priority, set.fields, set.n_fields, "%s: connection %s from %s: %s",
             connection->worker->welcome.service, id, host, text);
}

void dispatcher_worker_log(const dispatcher_worker *worker, int priority, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    dispatcher_worker_log_v(worker, priority, format, arguments);
    va_end(arguments);
}

void dispatcher_connection_log(const dispatcher_connection *connection, int priority,
                               const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    dispatcher_connection_log_v(connection, priority, format, arguments);
    va_end(arguments);
}
