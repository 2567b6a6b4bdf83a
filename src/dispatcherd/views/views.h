/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Services, workers and connections as the JSON objects of io.dispatcherd.Control. Each function
 * returns a new reference, or NULL when out of memory. */
#pragma once

#include "dispatcherd/core/service.h"
#include "dispatcherd/report/json.h"

struct config_version;
struct control_daemon;
struct dns_lists;
struct fleet;
struct problem_list;
struct trial;
struct unit_list;

/* The statistics of a service (views/statistics.c). */
json_t *view_statistics(const struct service *service, const struct control_clock *clock);

/* State and figures of a service, for Status. */
json_t *view_summary(const struct service *service, const struct control_clock *clock);

/* All of a service. PARAMETER can hold a password: it is left out unless `is_trusted`. */
json_t *view_service(const struct service *service, bool is_trusted,
                     const struct control_clock *clock);

json_t *view_worker(const struct worker *worker, const struct control_clock *clock);
json_t *view_connection(const struct connection *connection, const struct control_clock *clock);

/* A connection's TLS as its worker has reported it; null if it has not. It may come from a
 * predecessor's memory, in which nothing is trusted (views/history.c). */
json_t *view_tls(const struct history_tls *tls);

/* Each appends the ended items that are still listed, the newest first (views/history.c). */
void view_ended_connections(json_t **array, const struct service *service,
                            const struct control_clock *clock);
void view_ended_workers(json_t **array, const struct service *service,
                        const struct control_clock *clock);

struct due_list;

/* The commands that are due, as an array, and joined in one line (views/due_views.c). NULL: nothing
 * is due. */
json_t *view_due(const struct due_list *due);
json_t *view_due_command(const struct due_list *due);

/* The alerts that are raised, as an array (views/alert_views.c). */
json_t *view_alerts(const struct control_daemon *daemon, const struct control_clock *clock);

/* The DNS lists that are in use, as an array; NULL: none (views/dns_list_views.c). */
json_t *view_dns_lists(const struct dns_lists *lists, const struct control_clock *clock);

/* Null if limits are those of this host alone. */
json_t *view_fleet(const struct fleet *fleet, const struct control_clock *clock);

/* The options in force, by name (views/options.c). */
json_t *view_options(const struct service_options *options, bool is_trusted);

/* What would change if the files were in force: those of `version`, and the units that would be
 * made of it (none if workers are not started by units). `version` is NULL if the files cannot be
 * used; the problems say why (views/plan.c). */
json_t *view_plan(const struct control_daemon *daemon, const struct config_version *version,
                  const struct unit_list *units, const struct problem_list *problems);

/* The verdict of a trial, and what decided it, as members of the object (views/decision.c). */
void view_put_trial(json_t **object, const struct trial *trial);

/* Problems as lines of text. */
json_t *view_problems(const struct problem_list *problems);

/* A line of a file, as "FILE:LINE"; null if the line is 0. */
json_t *view_place(const char *file, uint32_t line);

/* null if the text is NULL or "". */
json_t *view_optional(const char *text);
