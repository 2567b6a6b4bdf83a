/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The addresses with the most connections, sessions and rejections: of what the daemon shows as
 * connections and history, on one host or several. */
#pragma once

#include "dispatcherctl/query/request.h"

#include <jansson.h>
#include <stdio.h>

#define CLIENTS_TOP_DEFAULT 10
#define CLIENTS_TOP_MAX     1000

/* Counts the rows of "connections" and "ended" by their client, and puts in their place
 * "most_connections", "most_sessions" and "most_rejections": arrays of at most `top` objects with
 * "address", "hosts" and the three counts, the largest first. Returns 0 or -ENOMEM. */
int clients_count(json_t *merged, size_t top);

/* Prints the three lists. Returns 0 or a negative errno. */
int clients_print(const json_t *counted, FILE *stream);

/* The command for this host alone: an exit status. */
int clients_run(const struct request *request);
