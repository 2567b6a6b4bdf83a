/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What the daemon logs: lines with the fields of dispatcherd-journal(7), which are also events for
 * followers (events.h). All rooms of the daemon log by this module; lines logged by log.h alone
 * would not reach the followers. */
#pragma once

#include "base/address.h"
#include "base/log.h"

#include <stdbool.h>
#include <sys/types.h>

/* How many connections one line names at most. */
#define REPORT_CONNECTIONS_MAX 50

/* What a line is about. Fields that are zero are left out. Only used during the call. */
struct subject {
    const char *service; /* its name also starts the line */
    pid_t worker_pid;
    uint64_t connection_id;
    /* For a line about several connections: writes their identifiers, and returns how many there
     * are. */
    unsigned (*connections_of)(const void *whose, uint64_t ids[REPORT_CONNECTIONS_MAX]);
    const void *whose;
    const struct address *client;
    uint32_t debug_bit;     /* the bit that switched the line on */
    const char *reason;     /* DISPATCHER_REASON */
    const char *message_id; /* one of message_ids.h */
};

/* Logs one line. Keeps errno. */
void report(int priority, const struct subject *subject, const char *format, ...) _printf_(3, 4);

/* Logs one line about the daemon as a whole. */
#define report_daemon(priority, ...) report(priority, &(struct subject){0}, __VA_ARGS__)

/* Logs one line that clients can cause at will, within the limits of bulk.h. */
void report_note(int priority, const struct subject *subject, const char *format, ...)
    _printf_(3, 4);

/* Reports an event to followers (events.h) and, if one of `bits` is set in `mask`, logs it within
 * the limits of bulk.h. `event` is a literal that is part of the control socket's interface. */
void report_event(const char *event, uint32_t mask, uint32_t bits, const struct subject *subject,
                  const char *format, ...) _printf_(5, 6);

/* Whether there is a follower. */
bool report_is_followed(void);

/* Logs a line of the DEBUG bits if one of `bits` is set in `mask`, at the priority of the lowest
 * such bit, within the limits of bulk.h. If none is set, the arguments are not evaluated. */
#define report_debug(mask, bits, subject, ...)                                                     \
    do {                                                                                           \
        uint32_t on_ = (mask) & (bits);                                                            \
        if (on_)                                                                                   \
            report_debug_on(on_, subject, __VA_ARGS__);                                            \
    } while (0)

void report_debug_on(uint32_t on, const struct subject *subject, const char *format, ...)
    _printf_(3, 4);
