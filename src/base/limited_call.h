/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Calls that may hang. A file of the administrator may be on a network file system whose server is
 * down: open(2), stat(2) and read(2) then wait until it is back, and no flag prevents that. So such
 * a call is made by a thread of its own, for which the caller waits for a limited time. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct limited_call;

struct limited_work {
    void (*run)(void *data);
    void (*dispose)(void *data); /* frees `data` and what `run` put there */
};

/* Runs `work` in a thread, and waits until it has stood still for `limit_usec`, 20 s in all at
 * most: time in which the thread computes does not count, since that may take seconds on a busy
 * host.
 *
 * Returns 0 if it came to its end: `data` is the caller's again. In all other cases `data` is
 * disposed of, at once or by the thread:
 *   -ETIMEDOUT  it hangs; `*stuck`, which belongs to these functions and begins as NULL, remembers
 *               that, and until its thread has come to an end each other call with the same `stuck`
 *               fails like this at once, without another thread
 *   -ENOMEM, -EAGAIN  no memory, no thread (pthread_create(3)) */
int limited_call(struct limited_call **stuck, const struct limited_work *work, void *data,
                 uint64_t limit_usec);

/* Whether an earlier call is under way, after such a wait. With limits of 0 nothing is waited for:
 * limited_call() returns -ETIMEDOUT, and the call goes on in its thread. */
bool limited_call_hangs(struct limited_call **stuck, uint64_t limit_usec);

/* Forgets an earlier call, which nobody will ask about any more: what it has is disposed of as soon
 * as it comes to its end. *stuck is NULL afterwards, as it may be before. */
void limited_call_forget(struct limited_call **stuck);
