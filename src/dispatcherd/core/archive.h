/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Keeps what is over in the service's history, if HISTORICAL_TIME asks for it. */
#pragma once

#include "dispatcherd/core/worker.h"
#include "statistics/statistics.h"

#include <stddef.h>

/* How a worker's process ended. */
struct worker_exit {
    const char *cause; /* "exited with status 0" */
    int status;        /* -1: unknown */
    int signal;        /* 0: none */
};

/* `rejection` is looked at for HISTORY_REJECTED alone. */
void archive_connection(const struct connection *connection, enum history_end end,
                        enum statistics_rejection rejection, uint64_t now);

/* Before the connections that it still holds are closed: they are named. */
void archive_worker(const struct worker *worker, const struct worker_exit *exit, uint64_t now);

/* How long what is over stays listed, in microseconds; 0: not at all. */
uint64_t archive_limit_usec(const struct service *service);
