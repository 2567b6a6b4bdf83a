/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Bounds system calls that a worker can make wait: close() of a socket on which it has set
 * SO_LINGER (socket(7)) waits for the client, O_NONBLOCK or not, if it is the last copy.
 *
 * A signal ends that wait. So while such calls go on, a timer sends one every 5 ms, and its handler
 * does nothing but take notes. A call costs a few stores in memory; the timer is set for the first
 * call after a rest, and stops when there are no more. One for the process, in its main thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Called by the thread that makes the calls. Without it, or if it fails, nothing is bounded.
 * Returns 0 or a negative errno. */
int stall_guard_start(void);

void stall_guard_stop(void);

/* Around the calls. The second one returns true if a tick has come in between, and at least half of
 * the time of one has passed since `since` (CLOCK_MONOTONIC, in microseconds, read before the first
 * one): the calls may have waited, or the processor was taken from us. */
void stall_guard_begin(void);
bool stall_guard_end(uint64_t since);

/* Closes fd between the two. */
bool stall_guard_close(int fd, uint64_t since);

/* No tick comes in between: around calls that fail when a signal interrupts them (EINTR), and that
 * no worker can make wait. */
void stall_guard_hold(void);
void stall_guard_release(void);
