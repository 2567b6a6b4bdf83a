/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Log lines: to the journal with structured fields, or to standard error in the same words.
 *
 * Never blocks: libsystemd's sd_journal_send() waits for as long as journald hangs, and write(2)
 * for whoever reads the pipe, or has stopped the terminal. A line that is not taken at once is
 * counted instead, and the count is said with the next line that gets through. Lines for standard
 * error carry no fields.
 *
 * Lines may come from any thread; log_open() and log_set_max_priority() are called before there are
 * several. */
#pragma once

#include "base/macro.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <syslog.h>

/* Chooses the way: the journal when standard error is connected to it (JOURNAL_STREAM names our
 * own standard error) and its socket is there, else standard error. `identifier` becomes
 * SYSLOG_IDENTIFIER and must live as long as the program. Before this call lines go to standard
 * error. */
void log_open(const char *identifier);

/* From now on standard error is a log file: all lines go there, each with the time, in the local
 * time zone, and the process. May be called while there are threads. */
void log_use_file(void);

/* Lines go to the journal. */
bool log_is_journal(void);

/* False if the journal, or the reader of standard error, is so far behind that lines of which there
 * are many had better be left out: half of the queue is for the others. */
bool log_has_room_for_bulk(void);

/* Lines of a priority above (less important than) this are dropped: LOG_DEBUG by default. */
void log_set_max_priority(int priority);

/* One line. `fields` are n_fields strings "NAME=value" in the journal's form (names of A-Z, 0-9
 * and _); a value may hold any byte. Longest text 2048 bytes; the rest is cut. */
void log_line(int priority, const char *const fields[], size_t n_fields, const char *format, ...)
    _printf_(4, 5);
void log_line_v(int priority, const char *const fields[], size_t n_fields, const char *format,
                va_list arguments) _printf_(4, 0);

#define log_err(...)     log_line(LOG_ERR, NULL, 0, __VA_ARGS__)
#define log_warning(...) log_line(LOG_WARNING, NULL, 0, __VA_ARGS__)
#define log_notice(...)  log_line(LOG_NOTICE, NULL, 0, __VA_ARGS__)
#define log_info(...)    log_line(LOG_INFO, NULL, 0, __VA_ARGS__)
#define log_debug(...)   log_line(LOG_DEBUG, NULL, 0, __VA_ARGS__)
