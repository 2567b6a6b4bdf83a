/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Writes everything that is sent to a worker (dispatcher-worker(7)); no other module does.
 *
 * Nothing waits for a worker here. An order for which the channel has no room is kept as "unsent"
 * if it is still needed later: worker/channel.c has it sent again when there is room. */
#pragma once

#include "dispatcherd/core/worker.h"

/* Orders that may be unsent, as bits. */
enum {
    ORDER_DRAIN = 1,
    ORDER_LOG = 2,
    ORDER_STRESS = 4,
    ORDER_DEBUG = 8
};

/* Sends all that a new worker must know, its ring (-1: it has none), and its log file (-1: it has
 * none), which `open_log` opens only if everything else can be sent. Returns 0 or a negative errno
 * (-EMSGSIZE: the PARAMETERs are too long). */
int order_welcome(struct worker *worker, int ring, int (*open_log)(struct worker *worker));

/* Asks a predecessor's worker what it holds, and gives it a new ring (-1: it has none). Returns 0
 * or a negative errno. */
int order_adoption(struct worker *worker, int ring);

/* Hands over the first of n connections, as many as one packet holds. Returns how many, or a
 * negative errno (see channel_send()). */
int order_connections(struct worker *worker, struct connection *const connections[], unsigned n);

/* Reports who uses a connection of the worker, or that this is not known, if the worker understands
 * the message. If its channel is full, it waits for the answer in vain, but not for long. */
void order_identity(struct worker *worker, const struct connection *connection);

/* Orders it to drain within worker->drain_limit_sec, or to stop. Returns 0, also if the order is
 * unsent, or a negative errno if the worker cannot be reached. */
int order_drain(struct worker *worker);

/* Sends the DEBUG mask of its service. */
void order_debug(struct worker *worker);

/* Sends it to a worker that is ready now, if it may not know it from its welcome: our predecessor
 * may have had another one, and a change may have come before it was ready. */
void order_debug_ready(struct worker *worker);

/* Sends it to all workers that are ready, after a change; to the others when they are. */
void order_debug_all(struct service *service);

/* Orders it to log to this file from now on. Returns 0, also if the order is unsent, or a negative
 * errno. */
int order_log(struct worker *worker, int fd);

/* Reports whether its service is under stress. */
void order_stress(struct worker *worker, bool is_stressed);

/* Orders a worker that belongs to no service to drain. */
void order_stray_drain(int channel, unsigned limit_sec);

/* Begins to watch the worker's channel for room. Returns 0 or a negative errno. */
int orders_await_room(struct worker *worker);

/* The channel has room again. */
void orders_have_room(struct worker *worker);

/* Returns those of `orders` that are unsent, and marks them as sent: the caller sends them, unless
 * they are obsolete. */
unsigned orders_take_unsent(struct worker *worker, unsigned orders);
