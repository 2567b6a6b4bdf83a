/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Commands of well-known programs that work, but not as whoever wrote them thinks: an open relay, a
 * server that listens by itself. */
#pragma once

#include "workers/common/parameters.h"
#include "workers/inetd/command.h"

/* Reports what is known of the command, which has no connection of the client's if TLS ends here.
 * Returns 0, or -EINVAL if it must not be run. */
int traps_check(const struct command *command, bool ends_tls,
                const struct parameter_report *report);

/* Whether a program that has a set-user-ID bit is known to serve without it: Exim, if it puts mail
 * into the queue only. */
bool traps_needs_no_privileges(const struct command *command);
