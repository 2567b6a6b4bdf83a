/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Connections that are this worker's, until the other program has taken them: a thread that waits
 * for that, puts them back into dispatcherd's queue if they come back, and sends clients away whose
 * time is over. */
#pragma once

#include "workers/pass/settings.h"

#include <dispatcher/worker.h>

/* How the other program is, in words that are logged when they change. */
struct pending;

/* Returns 0 with *ret, which pending_free() ends, or a negative errno. */
int pending_new(const struct pass_settings *settings, dispatcher_worker *worker,
                struct pending **ret);
void pending_free(struct pending *pending);

/* Whether the connection is to be taken: the program can be reached, or its time is over. Keeps
 * what was found out for pending_take(), which follows for this one or for none. */
bool pending_offer(struct pending *pending, const dispatcher_connection *connection);

void pending_take(struct pending *pending, dispatcher_connection *connection);
