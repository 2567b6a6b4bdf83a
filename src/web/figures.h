/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What dispatcherd says of itself, read through its control socket with methods that change
 * nothing. One connection, kept; every wait is limited. */
#pragma once

#include "control_client/client.h"
#include "web/connector.h"

#include <jansson.h>
#include <stdbool.h>

/* All zero but for its client's descriptor: FIGURES_INIT(). Owns what it has read; all of it is
 * NULL until it was read, and if the last attempt failed. */
struct figures {
    struct connector *connector; /* the caller's */
    struct client client;
    bool is_connected;
    json_t *status;      /* parameters of Status */
    json_t *services;    /* of Services */
    json_t *workers;     /* an array of at most FIGURES_ROWS_MAX, as are the connections */
    json_t *connections; /* NULL, too, if they are not for us to see */
    json_t *ended_workers;
    json_t *ended_connections; /* as connections */
    int error;                 /* of the last attempt: 0, or a negative errno */
};

/* What a person reads on a page; it bounds the page, and the daemon's work for it. */
#define FIGURES_ROWS_MAX 500

#define FIGURES_INIT(the_connector)                                                                \
    ((struct figures){.connector = (the_connector), .client = {.fd = -1}})

/* Reads Status and Services, and, if `with_lists`, workers and connections, those that
 * have ended too. Returns 0 or a
 * negative errno: nothing is left then of what was read before. */
int figures_read(struct figures *figures, bool with_lists);

void figures_clear(struct figures *figures);
