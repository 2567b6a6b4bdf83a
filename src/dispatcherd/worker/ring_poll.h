/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Which rings are read, and when. To send a message for each of a worker's news would cost both
 * sides a system call and a wake-up, so the daemon polls the rings instead. To poll a thousand
 * rings for each connection would cost more still. So it polls, whenever it is awake, the rings of
 *
 * - workers that have not answered all their hand-offs yet ("answering"), and
 * - workers that hold connections and had news in the last milliseconds ("recent").
 *
 * All others send NEWS at once when a session ends; a ring is also read when its worker has sent
 * anything. If many rings are to be polled, they take turns. */
#pragma once

#include "dispatcherd/core/worker.h"

/* Reads the rings that are likely to have news. Returns true if some had. */
bool ring_poll_likely(struct service *service);

/* Reads the ring of a worker that has sent something. */
void ring_poll_one(struct worker *worker);

/* Reads the rings of all workers. Returns true if some had news. */
bool ring_poll_all(struct service *service);

/* The daemon is about to sleep: asks the polled workers to send NEWS for these events
 * (RING_WANTS_*). Returns true if something was written before a worker could see that; the daemon
 * must not sleep then. */
bool ring_poll_want(struct service *service, uint32_t wanted);
