/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Services, workers and connections as the JSON objects of io.dispatcherd.Control. Each function
 * returns a new reference, or NULL when out of memory. */
#pragma once

#include "dispatcherd/core/service.h"
#include "dispatcherd/report/json.h"

struct control_daemon;
struct dns_lists;

/* What is counted of a service (control/statistics.c). */
json_t *view_statistics(const struct service *service, const struct control_clock *clock);

/* State and figures: what Status shows of a service. */
json_t *view_summary(const struct service *service, const struct control_clock *clock);

/* All of a service. PARAMETER can hold a password: it is left out unless `is_trusted`. */
json_t *view_service(const struct service *service, bool is_trusted,
                     const struct control_clock *clock);

json_t *view_worker(const struct worker *worker, const struct control_clock *clock);
json_t *view_connection(const struct connection *connection, const struct control_clock *clock);

/* Each appends what is over and still listed, the newest first (control/history.c). */
void view_ended_connections(json_t **array, const struct service *service,
                            const struct control_clock *clock);
void view_ended_workers(json_t **array, const struct service *service,
                        const struct control_clock *clock);

struct due_list;

/* The commands that are due, as an array, and as one line (control/due_views.c). NULL: nothing is.
 */
json_t *view_due(const struct due_list *due);
json_t *view_due_command(const struct due_list *due);

/* The alerts that are raised, as an array (control/alert_views.c). */
json_t *view_alerts(const struct control_daemon *daemon, const struct control_clock *clock);

/* The DNS lists that are in use, as an array; NULL: none (control/explain.c). */
json_t *view_dns_lists(const struct dns_lists *lists, const struct control_clock *clock);

/* The options in force, by name (control/options.c). */
json_t *view_options(const struct service_options *options, bool is_trusted);

/* "running", "full", "stopping" or "stopped". */
const char *view_service_state(const struct service *service);
