/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What workers report about the servers that they need: the alert `backend` of a service. */
#pragma once

#include <stdbool.h>

struct message;
struct worker;

/* Of a service; written by this module alone. */
struct backends {
    unsigned n_in_trouble; /* workers that lack a server */
    char trouble[256];     /* text of the last report; not trusted */
};

/* Handles MESSAGE_ALERT, by which a worker reports a problem, or that it is over. Returns false if
 * the worker may not send it yet. */
bool backend_take(struct worker *worker, const struct message *message);

/* The worker has ended. */
void backend_forget(struct worker *worker);
