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

/* Runs `work` in a thread, and waits for its end. Gives up when the thread has used no processor
 * time for `limit_usec`, and after 20 s in any case. (On a busy host a thread that computes may
 * take seconds, but it does not hang.)
 *
 * Returns 0 if it came to its end: `data` is the caller's again. In all other cases `data` is
 * disposed of, at once or by the thread:
 *   -ETIMEDOUT  it hangs; `*stuck`, which belongs to these functions and begins as NULL, remembers
 *               that, and until its thread has come to an end each other call with the same `stuck`
 *               fails like this at once, without another thread
 *   -ENOMEM, -EAGAIN  no memory, no thread (pthread_create(3)) */
int limited_call(struct limited_call **stuck, const struct limited_work *work, void *data,
                 uint64_t limit_usec);

/* Waits for an earlier call as limited_call() does, and returns true if it still hangs. Returns
 * false if it has come to its end, which disposes of its data, or if there is none.
 *
 * With a limit of 0 neither function waits: limited_call() starts the thread, in which the call
 * goes on, and returns -ETIMEDOUT. */
bool limited_call_hangs(struct limited_call **stuck, uint64_t limit_usec);

/* Forgets an earlier call, which nobody will ask about any more: what it has is disposed of as soon
 * as it comes to its end. *stuck is NULL afterwards, as it may be before. */
void limited_call_forget(struct limited_call **stuck);
