/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Where the lines of sessions go: to the library's log, those that clients can provoke at will
 * within a limit for the whole process. */
#pragma once

#include <dispatcher/worker.h>

/* For struct session_peer; `connection` is a dispatcher_connection. Any thread may call it. */
void connection_log(void *connection, int priority, const char *text);

/* Sums up what was left out and not yet said. */
void connection_log_end(dispatcher_worker *worker);
