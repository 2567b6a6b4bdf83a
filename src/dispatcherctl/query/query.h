/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Makes calls and returns whole replies: lists that come in parts are joined. */
#pragma once

#include "control_client/client.h"
#include "dispatcherctl/query/request.h"

/* Calls a method with the service of the request. `list` names the member that comes in parts;
 * NULL: none does; it is read until what the request's selection wants is there. Each part has the
 * time limit of the request, and all of them until `deadline` (monotonic, or USEC_INFINITY).
 * Returns 0 with the reply as client_call() does, or a negative errno. */
int query_call(struct client *client, const struct request *request, const char *method,
               const char *list, uint64_t deadline, json_t **ret);

/* The same on a connection of its own; errors, including a reply that is one, are reported on
 * standard error. Returns 0 with the reply's parameters (the caller's), or a negative errno. */
int query(const struct request *request, const char *method, const char *list, json_t **ret);

/* Prints the parameters as JSON. Returns 0 or a negative errno. */
int query_print_json(const json_t *parameters);

/* The exit status after all is printed. `r` is 0 or a negative errno, which is reported. */
int query_exit_status(int r);
