/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Log lines: to the journal with structured fields, or the same text to standard error.
 *
 * Never blocks: libsystemd's sd_journal_send() waits as long as journald hangs, and write(2) as
 * long as a pipe is not read or a terminal is stopped. A line that is not taken at once is dropped
 * and counted, and the next line that gets through reports the count. Lines on standard error carry
 * no fields.
 *
 * Lines may come from any thread; log_open() and log_set_max_priority() are called before there are
 * several. */
#pragma once

#include "base/macro.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <syslog.h>

/* Chooses the destination: the journal if standard error is connected to it (JOURNAL_STREAM names
 * our own standard error) and its socket exists, else standard error. `identifier` becomes
 * SYSLOG_IDENTIFIER and must live as long as the program. Before this call lines go to standard
 * error. */
void log_open(const char *identifier);

/* From now on standard error is a log file: all lines go there, each with the local time and the
 * process. May be called while there are threads. */
void log_use_file(void);

/* Whether lines go to the journal. */
bool log_is_journal(void);

/* Returns false if the journal, or the reader of standard error, is so far behind that mass lines
 * should be left out: half of the queue is reserved for others. */
bool log_has_room_for_bulk(void);

/* Drops lines that are less important than this priority; LOG_DEBUG (nothing is dropped) by
 * default. */
void log_set_max_priority(int priority);

/* Logs one line. `fields` are n_fields strings "NAME=value" in the journal's form (names of A-Z,
 * 0-9 and _); a value may hold any byte. The text is cut at 2048 bytes. */
void log_line(int priority, const char *const fields[], size_t n_fields, const char *format, ...)
    _printf_(4, 5);
void log_line_v(int priority, const char *const fields[], size_t n_fields, const char *format,
                va_list arguments) _printf_(4, 0);

#define log_err(...)     log_line(LOG_ERR, NULL, 0, __VA_ARGS__)
#define log_warning(...) log_line(LOG_WARNING, NULL, 0, __VA_ARGS__)
#define log_notice(...)  log_line(LOG_NOTICE, NULL, 0, __VA_ARGS__)
#define log_info(...)    log_line(LOG_INFO, NULL, 0, __VA_ARGS__)
#define log_debug(...)   log_line(LOG_DEBUG, NULL, 0, __VA_ARGS__)
