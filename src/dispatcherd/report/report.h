/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What the daemon logs: lines with the fields of the contract (dispatcherd-journal(7)), which those
 * who follow its events (events.h) get too. No other room of the daemon logs by itself; log.h alone
 * would leave the followers out. */
#pragma once

#include "base/address.h"
#include "base/log.h"

#include <stdbool.h>
#include <sys/types.h>

/* Of how many connections one line is, at the most. */
#define REPORT_CONNECTIONS_MAX 50

/* What a line is about. Fields that are zero are left out. Nothing is kept. */
struct subject {
    const char *service; /* its name also starts the line */
    pid_t worker_pid;
    uint64_t connection_id;
    /* If the line is of several connections: writes their identifiers, and returns how many. */
    unsigned (*connections_of)(const void *whose, uint64_t ids[REPORT_CONNECTIONS_MAX]);
    const void *whose;
    const struct address *client;
    uint32_t debug_bit;     /* the bit that switched the line on */
    const char *reason;     /* DISPATCHER_REASON */
    const char *message_id; /* one of message_ids.h */
};

/* One line. Keeps errno. */
void report(int priority, const struct subject *subject, const char *format, ...) _printf_(3, 4);

/* One line about the daemon as a whole. */
#define report_daemon(priority, ...) report(priority, &(struct subject){0}, __VA_ARGS__)

/* One line that clients can provoke at will: within the limit of bulk.h. */
void report_note(int priority, const struct subject *subject, const char *format, ...)
    _printf_(3, 4);

/* Something that happens: told to those who follow (events.h), and if one of `bits` is set in
 * `mask` as a line too, within the limit of bulk.h. `event` is a literal, part of the control
 * socket's interface. */
void report_event(const char *event, uint32_t mask, uint32_t bits, const struct subject *subject,
                  const char *format, ...) _printf_(5, 6);

/* Somebody follows. */
bool report_is_followed(void);

/* A line of the DEBUG bits: told if one of `bits` is set in `mask`, at the priority of the
 * lowest such bit, within the limit of bulk.h. If none is, the arguments are not even looked at.
 */
#define report_debug(mask, bits, subject, ...)                                                     \
    do {                                                                                           \
        uint32_t on_ = (mask) & (bits);                                                            \
        if (on_)                                                                                   \
            report_debug_on(on_, subject, __VA_ARGS__);                                            \
    } while (0)

void report_debug_on(uint32_t on, const struct subject *subject, const char *format, ...)
    _printf_(3, 4);
