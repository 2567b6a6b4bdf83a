/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "workers/tcp_smtp_server/session_log.h"

#include <stdarg.h>
#include <stdio.h>

enum {
    TEXT_BYTES = 1536
};

void session_log(int priority, const struct session_peer *peer, const char *format, ...)
{
    char text[TEXT_BYTES];
    va_list arguments;

    if (!peer->log)
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    peer->log(peer->log_userdata, priority, text);
}
