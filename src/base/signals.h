/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Signals that a daemon handles in its event loop. Before the loop runs, their default action would
 * end the process, so they are blocked from the first line of main() on; those that arrive
 * meanwhile stay pending (signal(7)). */
#pragma once

#include <signal.h>

/* Blocks SIGHUP, SIGINT, SIGTERM and SIGUSR1, and ignores SIGPIPE and SIGXFSZ, so that a file (a
 * memfd, too) that would grow past RLIMIT_FSIZE makes the call fail with EFBIG (setrlimit(2)).
 * *ret_before is the mask as it was. */
void signals_hold(sigset_t *ret_before);

/* Restores the mask, for runs that have no event loop ("--check"), so that the signals end the
 * process. */
void signals_release(const sigset_t *before);
