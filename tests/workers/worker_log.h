/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What a worker logs, for tests of parts of it: it goes to standard error, which is a file here. */
#pragma once

#include "libdispatcher/internal.h"

#include <string.h>
#include <syslog.h>

void worker_log_begin(void);
void worker_log_end(void);

/* A connection of 192.0.2.7 to a worker of the service TEST. */
dispatcher_connection worker_log_connection(void);

/* What was logged since the last call; lives until the next one. */
const char *worker_log_take(void);
