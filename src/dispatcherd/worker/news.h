/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What a worker tells of single connections: taken over, refused, ended. */
#pragma once

#include "dispatcherd/core/worker.h"
#include "protocol/message.h"

/* Acts on what is told of one connection: ACKNOWLEDGE, REFUSE or ENDED; `now` is CLOCK_MONOTONIC in
 * microseconds. Returns false where the type is none of these, or the worker has no such connection
 * in such a state: it lies. */
bool worker_take_id(struct worker *worker, enum message_type type, uint64_t id, uint64_t now);

/* Acts on an ACKNOWLEDGE, a REFUSE or an ENDED. Returns false where the worker has no such
 * connection in such a state: it lies. */
bool worker_take_ids(struct worker *worker, const struct message *message);

/* Reads all that is left in a channel on which nothing more can come, and acts on what it tells of
 * connections; whatever else is there is of no use any more. */
void worker_take_last_words(struct worker *worker);
