/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Passes connections on to the workers that were chosen. What comes back has its own path:
 * worker/channel.c.
 *
 * Those that are chosen one after another for the same worker go to it in one packet: that spares
 * both sides a system call for each, and a wake-up. So a choice and its sending are two steps, and
 * nothing but further choices and accepting may come in between. */
#pragma once

#include "dispatcherd/core/worker.h"

/* The connection that waits longest is this worker's; `now` is CLOCK_MONOTONIC in microseconds. */
void handoff_begin(struct service *service, struct worker *worker, uint64_t now);

/* Sends what was begun. Where a worker's channel is full its connections wait again, in their
 * order, and the worker gets nothing more until it has read; where it is closed, as at a worker's
 * end. Returns false where any came back so: there is more to decide. */
bool handoffs_send(struct service *service, uint64_t now);
