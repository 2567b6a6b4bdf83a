/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Whole answers: lists that come in parts are put together. */
#pragma once

#include "control_client/client.h"
#include "dispatcherctl/request.h"

/* Calls a method with the service of the request. `list` names the member that comes in parts;
 * NULL: none does. Returns 0 with the reply as client_call() does, or a negative errno. */
int query_call(struct client *client, const struct request *request, const char *method,
               const char *list, json_t **ret);

/* The same on a connection of its own, with errors told on stderr, if the reply is not wanted
 * then. Returns 0 with the reply's parameters (the caller's), or a negative errno. */
int query(const struct request *request, const char *method, const char *list, json_t **ret);

/* Prints the parameters as JSON. Returns 0 or a negative errno. */
int query_print_json(const json_t *parameters);

/* The status to exit with, once all is printed. `r` is 0 or a negative errno, which is told. */
int query_exit_status(int r);
