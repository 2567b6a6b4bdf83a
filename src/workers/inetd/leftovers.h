/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Processes that a session's program has started and left behind. This process is their subreaper
 * (prctl(2)): whoever loses its parent becomes a child of our main thread, which has no others. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Makes this process the subreaper; to be called once, before the first session. Returns 0 or a
 * negative errno. */
int leftovers_start(void);

/* Reaps those that have ended. Returns true if there are others: of any session, perhaps of one
 * that goes on. */
bool leftovers_exist(void);

/* Ends every process with the mark, whatever it does meanwhile: all are stopped before the first is
 * killed, so that none forks on. Waits for their ends, but no longer than `limit_usec`. Returns how
 * many were killed, of a chain in which each forks the next at least one; *ret_n_remaining is how
 * many go on: they belong to another user, or hang in the kernel. It is 1 if that is not known. */
unsigned leftovers_end(uint64_t mark, uint64_t limit_usec, unsigned *ret_n_remaining);
