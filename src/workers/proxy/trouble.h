/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What an administrator and clients are told when no back end can be reached, and the look whether
 * it is back that nobody else takes. */
#pragma once

#include "base/log_limit.h"
#include "workers/proxy/backends.h"
#include "workers/proxy/settings.h"

#include <dispatcher/worker.h>

struct trouble {
    dispatcher_worker *worker;
    const struct settings *settings;
    struct log_limit turned_away;
    size_t n_failing;  /* back ends that cannot be reached */
    size_t n_reported; /* those of them that were logged */
    int probe_fd;      /* -1: none is under way */
    size_t probe_backend;
    uint64_t probe_at;
};

void trouble_init(struct trouble *trouble, dispatcher_worker *worker,
                  const struct settings *settings);
void trouble_clear(struct trouble *trouble);

/* An attempt that began at `began_at` has failed, or succeeded: one line when it matters. */
void trouble_failed(struct trouble *trouble, struct backends *backends, size_t i, int error,
                    uint64_t began_at, uint64_t now);
void trouble_answered(struct trouble *trouble, struct backends *backends, size_t i, uint64_t now);

/* Tells the client to come back, and logs why: no back end, the one at `i` was the last. Its
 * connection is then to be ended. */
void trouble_turn_away(struct trouble *trouble, struct backends *backends, size_t i,
                       const dispatcher_connection *connection, uint64_t now);

/* Looks at what is under way, and at back ends whose pause is over. */
void trouble_tick(struct trouble *trouble, struct backends *backends, uint64_t now);

/* True while trouble_tick() has something to do. */
bool trouble_has_work(const struct trouble *trouble);
