/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* How a worker introduces itself: a new one by its hello, an adopted one by what it holds. */
#pragma once

#include "dispatcherd/core/worker.h"
#include "protocol/message.h"

/* Why a worker is given up. */
struct worker_fault {
    const char *reason;     /* a literal; NULL: there is none */
    const char *message_id; /* one of message_ids.h */
};

/* Answers a hello with all that a new worker must know, a ring if it wants one, and the log file if
 * the service has a LOGFILE. If that cannot be opened, it is reported, and the worker goes on
 * without. Returns the fault if the worker cannot be used. */
struct worker_fault worker_greet(struct worker *worker, const struct message *hello);

/* Takes over the connections in a message of an adopted worker. Returns the rule that the worker
 * has broken, or NULL. */
const char *greeting_take_held(struct worker *worker, const struct message *held);
