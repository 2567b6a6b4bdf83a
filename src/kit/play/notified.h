/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The socket by which the worker of a unit notifies the service manager (sd_notify(3)). */
#pragma once

#include <stdbool.h>

struct notified {
    char path[96]; /* NOTIFY_SOCKET */
    int fd;
    bool is_ready;     /* READY=1 was received */
    bool has_watchdog; /* the last notified_read() found WATCHDOG=1 */
};

/* Opens it in `folder`, or as an abstract socket if that is NULL. */
void notified_open(struct notified *notified, const char *folder);

/* Reads what has arrived, without waiting. Returns false if nothing has. */
bool notified_read(struct notified *notified);
