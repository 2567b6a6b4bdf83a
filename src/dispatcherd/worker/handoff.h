/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Passes connections on to the workers that were chosen. Answers come back by worker/channel.c and
 * messages/worker_ring.c.
 *
 * Connections that are chosen for the same worker one after another go to it in one packet, which
 * saves both sides a system call and a wake-up for each. So choosing and sending are two steps;
 * only further choices and accepting may come in between. */
#pragma once

#include "dispatcherd/core/worker.h"

/* Assigns the connection that waits longest to this worker; `now` is CLOCK_MONOTONIC in
 * microseconds. */
void handoff_begin(struct service *service, struct worker *worker, uint64_t now);

/* Sends the assigned connections. If a worker's channel is full, its connections wait again in
 * their order, and it gets no more until it has read. If the channel is closed, they wait again,
 * too. Returns false if any came back: there is more to decide. */
bool handoffs_send(struct service *service, uint64_t now);
