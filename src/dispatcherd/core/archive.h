/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Adds ended connections and workers to the service's history, if HISTORICAL_TIME asks for it, and
 * to the recording, if RECORD does. */
#pragma once

#include "dispatcherd/core/completion.h"
#include "dispatcherd/core/worker.h"

/* How a worker's process ended. */
struct worker_exit {
    const char *cause; /* "exited with status 0" */
    int status;        /* -1: unknown */
    int signal;        /* 0: none */
};

void archive_connection(const struct connection *connection, const struct connection_end *end);

/* To be called before the connections that it still holds are closed: the history names them. */
void archive_worker(const struct worker *worker, const struct worker_exit *exit, uint64_t now);

/* How long ended items stay listed, in microseconds; 0: they are not listed. */
uint64_t archive_limit_usec(const struct service *service);
