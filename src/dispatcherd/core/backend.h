/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What workers tell of the servers that they need: the alert `backend` of a service. */
#pragma once

#include "dispatcherd/core/worker.h"

#include <stdbool.h>

struct message;

/* The worker has said by MESSAGE_ALERT what is wrong, or that nothing is. Returns false if that is
 * no message of a worker. */
bool backend_take(struct worker *worker, const struct message *message);

/* The worker is no more. */
void backend_forget(struct worker *worker);
