/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The service manager's notification socket (sd_notify(3)), spoken without libsystemd so that
 * neither a worker carries that library nor a busy manager can block the caller. */
#pragma once

#include <stdbool.h>

/* True if a service manager listens (NOTIFY_SOCKET is set). */
bool notify_socket_is_set(void);

/* Sends `state` ("READY=1\nSTATUS=…"), with the descriptor `fd` if that is not negative; the
 * caller keeps `fd`. Never blocks. Returns 0 (also if nobody listens), -EAGAIN when the
 * manager is too busy to take it now, or another negative errno. */
int notify_socket_send(const char *state, int fd);
