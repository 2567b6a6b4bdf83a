/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Signals that a daemon takes from its event loop. Before that loop runs their default action would
 * end the process, so they are held back from the first line of main() on; what arrives meanwhile
 * is pending until the loop takes it (signal(7)). */
#pragma once

#include <signal.h>

/* Blocks SIGHUP, SIGINT, SIGTERM and SIGUSR1, and ignores SIGPIPE and SIGXFSZ: what is written or
 * grown past RLIMIT_FSIZE, a memfd too, then fails with EFBIG (setrlimit(2)). *ret_before is the
 * mask as it was. */
void signals_hold(sigset_t *ret_before);

/* For a run that does not serve after all ("--check"): they end it again. */
void signals_release(const sigset_t *before);
