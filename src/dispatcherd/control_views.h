/* Services, workers and connections as the JSON objects of io.dispatcherd.Control. Each function
 * returns a new reference, or NULL when out of memory. */
#pragma once

#include "dispatcherd/service.h"

#include <jansson.h>

struct control_daemon;
struct dns_lists;

/* Both clocks at one moment, to tell people times in real time. */
struct control_clock {
    uint64_t monotonic;
    uint64_t realtime;
};

struct control_clock control_clock_now(void);

/* Adds a member, whose value passes on to the object. Where that fails, or the value is NULL
 * because it could not be made, the object is freed and *object is NULL: so a chain of these needs
 * one check at its end. */
void view_put(json_t **object, const char *name, json_t *value);

/* The same for an element of an array. */
void view_append(json_t **array, json_t *value);

/* Both readings of a moment of CLOCK_MONOTONIC; null for 0, which stands for "not yet". */
json_t *view_time(uint64_t at, const struct control_clock *clock);

/* Any bytes as JSON text; where they are no UTF-8, "?" stands for each that is not ASCII. null for
 * NULL. */
json_t *view_text(const char *text);

json_t *view_count(uint64_t count);
json_t *view_address(const struct address *address);

/* A count beside what it cannot exceed. */
json_t *view_gauge(uint64_t value, uint64_t limit);

/* What is counted of a service (control_statistics.c). */
json_t *view_statistics(const struct service *service, const struct control_clock *clock);

/* State and figures: what Status shows of a service. */
json_t *view_summary(const struct service *service, const struct control_clock *clock);

/* All of a service. PARAMETER can hold a password: it is left out unless `is_trusted`. */
json_t *view_service(const struct service *service, bool is_trusted,
                     const struct control_clock *clock);

json_t *view_worker(const struct worker *worker, const struct control_clock *clock);
json_t *view_connection(const struct connection *connection, const struct control_clock *clock);

/* Each appends what is over and still listed, the newest first (control_history.c). */
void view_ended_connections(json_t **array, const struct service *service,
                            const struct control_clock *clock);
void view_ended_workers(json_t **array, const struct service *service,
                        const struct control_clock *clock);

struct due_list;

/* The commands that are due, as an array, and as one line (control_due.c). NULL: nothing is. */
json_t *view_due(const struct due_list *due);
json_t *view_due_command(const struct due_list *due);

/* The alerts that are raised, as an array (control_alerts.c). */
json_t *view_alerts(const struct control_daemon *daemon, const struct control_clock *clock);

/* The DNS lists that are in use, as an array; NULL: none (control_explain.c). */
json_t *view_dns_lists(const struct dns_lists *lists, const struct control_clock *clock);

/* The options in force, by name (control_options.c). */
json_t *view_options(const struct service_options *options, bool is_trusted);

/* "running", "full", "stopping" or "stopped". */
const char *view_service_state(const struct service *service);
