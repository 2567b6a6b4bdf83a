/* Log lines: to the journal with structured fields, or to standard error in the same words.
 *
 * Never blocks: libsystemd's sd_journal_send() waits for as long as journald hangs. A line that
 * the journal does not take at once is counted instead, and the count is said with the next line
 * that gets through. Lines for standard error carry no fields.
 *
 * Lines may come from any thread; log_open() and log_set_max_priority() are called before there are
 * several. */
#pragma once

#include "base/macro.h"

#include <stdarg.h>
#include <stddef.h>
#include <syslog.h>

/* Chooses the way: the journal when standard error is connected to it (JOURNAL_STREAM names our
 * own standard error) and its socket is there, else standard error. `identifier` becomes
 * SYSLOG_IDENTIFIER and must live as long as the program. Before this call lines go to standard
 * error. */
void log_open(const char *identifier);

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
