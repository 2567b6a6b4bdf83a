/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Notifies the service manager: READY, STOPPING, STATUS, and that the loop still runs (WATCHDOG).
 * Never blocks: what a busy manager does not take, or what cannot be sent, is sent again later. */
#pragma once

#include "base/timer.h"

#include <stdbool.h>

#define NOTIFY_STATUS_MAX 512

/* All zero before notify_start(). */
struct notifier {
    bool is_ready_due;
    bool is_stopping_due;
    bool is_status_due;
    char status[NOTIFY_STATUS_MAX];
    struct timer retry;
    unsigned n_failures; /* in a row, not counting a busy manager */
    struct timer watchdog;
    uint64_t watchdog_usec; /* between two signs of life; 0: none are required */
};

/* Begins to send signs of life, if the manager has a watchdog for us. Returns 0 or a negative
 * errno. */
int notify_start(struct notifier *notifier, sd_event *event);

void notify_ready(struct notifier *notifier);
void notify_reloading(struct notifier *notifier); /* until the next notify_ready() */
void notify_stopping(struct notifier *notifier);

/* Asks for this much more time, in microseconds, to finish. */
void notify_extend(struct notifier *notifier, uint64_t usec);

/* Sets the line that `systemctl status` shows. Only sent if it has changed. */
void notify_status(struct notifier *notifier, const char *status);

void notify_end(struct notifier *notifier);
