/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The service manager's notification socket (sd_notify(3)), used without libsystemd, so that a
 * worker need not link that library and a busy manager cannot block the caller. */
#pragma once

#include <stdbool.h>

/* True if there is a service manager to notify (NOTIFY_SOCKET is set). */
bool notify_socket_is_set(void);

/* Sends `state` ("READY=1\nSTATUS=…"), and the descriptor `fd` unless it is negative; the caller
 * keeps `fd`. Never blocks. Returns 0, also without a service manager; -EAGAIN if the manager is
 * too busy; or another negative errno. */
int notify_socket_send(const char *state, int fd);
