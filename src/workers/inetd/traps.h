/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Commands of well-known programs that work, but not as whoever wrote them thinks: an open relay, a
 * server that listens by itself. */
#pragma once

#include "workers/common/parameters.h"
#include "workers/inetd/command.h"

/* Reports what is known of the command. Returns 0, or -EINVAL if it must not be run. */
int traps_check(const struct command *command, const struct parameter_report *report);
