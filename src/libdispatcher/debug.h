/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Lines for the DEBUG bits of the worker (dispatcherd-journal(7), bits 12, 13, 14, 16, 17). They
 * never contain what a session sends or receives. */
#pragma once

#include "libdispatcher/internal.h"
#include "protocol/debug.h"

#include "base/macro.h"

/* Chooses the destination of lines: the journal, with fields, or standard error, which may be a
 * LOGFILE. */
void debug_start(void);

/* `connection` may be NULL. If the bit is off, this costs one test of a variable. */
#define debug_say(worker, bit, connection, ...)                                                    \
    do {                                                                                           \
        if (dispatcher_worker_debug(worker) & (bit))                                               \
            debug_line(worker, bit, connection, __VA_ARGS__);                                      \
    } while (0)

void debug_line(const dispatcher_worker *worker, uint32_t bit,
                const dispatcher_connection *connection, const char *format, ...) _printf_(4, 5);
