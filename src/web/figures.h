/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The figures of dispatcherd, read from its control socket by methods that change nothing. One
 * connection is kept; every wait is limited. */
#pragma once

#include "control_client/client.h"
#include "web/connector.h"

#include <jansson.h>
#include <stdbool.h>

/* All zero except its client's descriptor: FIGURES_INIT(). Owns what was read; everything is NULL
 * before the first reading, and after a failed one. */
struct figures {
    struct connector *connector; /* belongs to the caller */
    struct client client;
    bool is_connected;
    json_t *status;      /* parameters of Status */
    json_t *services;    /* of Services */
    json_t *workers;     /* an array of at most FIGURES_ROWS_MAX items, as are the connections */
    json_t *connections; /* also NULL if the page is not allowed to see them */
    json_t *ended_workers;
    json_t *ended_connections; /* likewise */
    json_t *throttles;         /* parameters of Throttles; likewise, or if dispatcherd has none */
    int error;                 /* of the last reading: 0, or a negative errno */
};

/* As much as a person reads; it limits the size of the page, and the daemon's work for it. */
#define FIGURES_ROWS_MAX 500

#define FIGURES_INIT(the_connector)                                                                \
    ((struct figures){.connector = (the_connector), .client = {.fd = -1}})

/* Reads Status and Services and, if `with_lists`, workers and connections, including ended ones.
 * Returns 0; or a negative errno, with nothing left of what was read before. */
int figures_read(struct figures *figures, bool with_lists);

void figures_clear(struct figures *figures);
