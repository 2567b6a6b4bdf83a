/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "libdispatcher/debug.h"

#include "base/log.h"
#include "base/service_name.h"
#include "protocol/connection_id.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

enum {
    FIELDS_MAX = 4,
    FIELD_TEXT_MAX = 64, /* a service's name is at most 32 bytes */
    TEXT_MAX = 256,      /* this is on the stack of a session, which may be small */
};

void debug_start(void)
{
    log_open(program_invocation_short_name);
}

void debug_line(const dispatcher_worker *worker, uint32_t bit,
                const dispatcher_connection *connection, const char *format, ...)
{
    char texts[FIELDS_MAX][FIELD_TEXT_MAX], text[TEXT_MAX];
    const char *fields[FIELDS_MAX];
    const char *service = worker->welcome.service ? worker->welcome.service : "?";
    char id[CONNECTION_ID_BYTES] = "";
    va_list arguments;
    size_t n = 0;

    snprintf(texts[n++], FIELD_TEXT_MAX, "DISPATCHER_SERVICE=%.*s", SERVICE_NAME_MAX, service);
    snprintf(texts[n++], FIELD_TEXT_MAX, "DISPATCHER_WORKER_PID=%d", (int)getpid());
    snprintf(texts[n++], FIELD_TEXT_MAX, "DISPATCHER_DEBUG_BIT=%d", __builtin_ctz(bit));
    if (connection) {
        connection_id_format(connection->id, id);
        snprintf(texts[n++], FIELD_TEXT_MAX, "DISPATCHER_CONNECTION=%s", id);
    }
    for (size_t i = 0; i < n; i++)
        fields[i] = texts[i];
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    log_line(debug_bit_priority(bit), fields, n, "%s: %s%s%s", service, id, *id ? ": " : "", text);
}
