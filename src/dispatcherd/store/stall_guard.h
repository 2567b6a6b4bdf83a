/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Limits system calls that a worker can make wait: close() of a socket on which the worker has set
 * SO_LINGER (socket(7)) waits for the client, even with O_NONBLOCK, if it closes the last copy.
 *
 * A signal ends that wait. So while such calls are made, a timer sends one every 5 ms, whose
 * handler only takes notes. A call costs a few stores in memory; the timer is set for the first
 * call after a pause, and stops when there are no more. There is one for the process, in its main
 * thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* To be called by the thread that makes the calls. If it fails, nothing is limited. Returns 0 or a
 * negative errno. */
int stall_guard_start(void);

void stall_guard_stop(void);

/* To be called before and after the calls. stall_guard_end() returns true if there was a tick in
 * between, and at least half a tick has passed since `since` (CLOCK_MONOTONIC, in microseconds,
 * read before stall_guard_begin()): the calls may have waited, or the processor was busy. */
void stall_guard_begin(void);
bool stall_guard_end(uint64_t since);

/* Closes fd between these two. */
bool stall_guard_close(int fd, uint64_t since);

/* Prevents ticks around calls that a signal would make fail (EINTR), and that no worker can make
 * wait. */
void stall_guard_hold(void);
void stall_guard_release(void);
