/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* All that is sent to a worker (dispatcher-worker(7)) is written here, and nowhere else.
 *
 * Nobody waits for a worker here. An order that its channel has no room for is kept as "unsent"
 * where it still counts later on: worker/channel.c has it sent again when there is room. */
#pragma once

#include "dispatcherd/core/worker.h"

/* Orders that may be unsent: bits. */
enum {
    ORDER_DRAIN = 1,
    ORDER_LOG = 2,
    ORDER_STRESS = 4
};

/* All that a new worker must know, with its ring (-1: it has none) and its log file, which
 * `open_log` gives to us (-1: it has none) if everything else can be sent. Returns 0 or a negative
 * errno (-EMSGSIZE: the PARAMETERs are too long). */
int order_welcome(struct worker *worker, int ring, int (*open_log)(struct worker *worker));

/* Asks a predecessor's worker what it holds, and gives it its new ring; -1: it has none. Returns 0
 * or a negative errno. */
int order_adoption(struct worker *worker, int ring);

/* Hands over the first ones of n connections, as many as one packet holds. Returns how many, or a
 * negative errno (see channel_send()). */
int order_connections(struct worker *worker, struct connection *const connections[], unsigned n);

/* To drain within worker->drain_limit_sec, or to stop. Returns 0, also if it is unsent, or a
 * negative errno if the worker cannot be told. */
int order_drain(struct worker *worker);

/* The DEBUG mask of its service. A worker whose channel is full goes on with the old one: it is
 * busy with other things. */
void order_debug(struct worker *worker);

/* To log to this file from now on. */
void order_log(struct worker *worker, int fd);

/* Whether its service is under stress. */
void order_stress(struct worker *worker, bool is_stressed);

/* To drain, for a worker that belongs to no service any more. */
void order_stray_drain(int channel, unsigned limit_sec);

/* Has the worker's channel watched for room. Returns 0 or a negative errno. */
int orders_await_room(struct worker *worker);

/* There is room again. */
void orders_have_room(struct worker *worker);

/* Returns those among `orders` that are unsent, and forgets that: the caller sends them, or they
 * are of no use any more. */
unsigned orders_take_unsent(struct worker *worker, unsigned orders);
