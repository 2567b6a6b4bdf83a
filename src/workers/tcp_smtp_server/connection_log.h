/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Passes the lines of sessions to the library's log. Those that clients can cause at will are
 * limited in number, for the whole process. */
#pragma once

#include <dispatcher/worker.h>

/* For struct session_peer; `connection` is a dispatcher_connection. May be called by any thread. */
void connection_log(void *connection, int priority, const char *text);
