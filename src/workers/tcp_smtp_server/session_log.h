/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Logs a line about a session. */
#pragma once

#include "base/macro.h"
#include "workers/tcp_smtp_server/envelope.h"

#include <syslog.h>

void session_log(int priority, const struct session_peer *peer, const char *format, ...)
    _printf_(3, 4);
