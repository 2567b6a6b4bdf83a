/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherctl/views.h"

#include "base/macro.h"
#include "base/time.h"
#include "control_client/reply.h"
#include "dispatcherctl/cells.h"

#include <string.h>

/* workers */

static void add_retirement(struct table *table, const json_t *worker)
{
    if (reply_is_set(worker, "retire_reason"))
        cell_text(table, worker, "retire_reason");
    else
        table_add(table, "%s", reply_is_true(worker, "is_outdated") ? "outdated, due" : "");
}

static void add_worker(struct table *table, const json_t *item, uint64_t now)
{
    cell_text(table, item, "service");
    cell_number(table, item, "slot");
    cell_number(table, item, "pid");
    cell_text(table, item, "state");
    cell_gauge(table, item, "connections");
    cell_number(table, item, "n_peak");
    cell_number(table, item, "n_total");
    cell_age(table, item, "started_at", now);
    cell_age(table, item, "idle_since", now);
    cell_text(table, item, "start_reason");
    add_retirement(table, item);
    cell_text(table, item, "unit");
}

int view_workers(const json_t *parameters, _unused_ const char *service, FILE *stream)
{
    static const struct table_column columns[] = {
        {"SERVICE", TABLE_LEFT},     {"SLOT", TABLE_RIGHT},        {"PID", TABLE_RIGHT},
        {"STATE", TABLE_LEFT},       {"CONNECTIONS", TABLE_RIGHT}, {"PEAK", TABLE_RIGHT},
        {"TOTAL", TABLE_RIGHT},      {"AGE", TABLE_RIGHT},         {"IDLE", TABLE_RIGHT},
        {"STARTED FOR", TABLE_LEFT}, {"RETIRED FOR", TABLE_LEFT},  {"UNIT", TABLE_LEFT},
    };
    uint64_t now = reply_moment(parameters, "now");
    const json_t *workers = json_object_get(parameters, "workers");

    return print_rows(columns, ELEMENTSOF(columns), workers, now, add_worker, stream);
}

/* connections */

static void add_connection(struct table *table, const json_t *item, uint64_t now)
{
    cell_text(table, item, "id");
    cell_text(table, item, "service");
    cell_text(table, item, "state");
    cell_number(table, item, "worker_pid");
    cell_age(table, item, "accepted_at", now);
    cell_yes_no(table, item, "is_tls");
    cell_address(table, item, "client");
    cell_address(table, item, "local");
    cell_text(table, item, "ident_user");
}

int view_connections(const json_t *parameters, _unused_ const char *service, FILE *stream)
{
    static const struct table_column columns[] = {
        {"CONNECTION", TABLE_LEFT}, {"SERVICE", TABLE_LEFT}, {"STATE", TABLE_LEFT},
        {"WORKER", TABLE_RIGHT},    {"AGE", TABLE_RIGHT},    {"TLS", TABLE_LEFT},
        {"CLIENT", TABLE_LEFT},     {"SERVER", TABLE_LEFT},  {"USER", TABLE_LEFT},
    };
    uint64_t now = reply_moment(parameters, "now");
    const json_t *connections = json_object_get(parameters, "connections");

    return print_rows(columns, ELEMENTSOF(columns), connections, now, add_connection, stream);
}

/* history */

static void add_ended_worker(struct table *table, const json_t *item, uint64_t now)
{
    cell_text(table, item, "service");
    cell_number(table, item, "slot");
    cell_number(table, item, "pid");
    cell_age(table, item, "ended_at", now);
    cell_span(table, item, "started_at", "ended_at");
    cell_number(table, item, "n_current");
    table_style(table, reply_number(item, "n_current") > 0 ? STYLE_BAD : STYLE_PLAIN);
    cell_number(table, item, "n_peak");
    cell_number(table, item, "n_total");
    cell_text(table, item, "start_reason");
    cell_text(table, item, "retire_reason");
    cell_text(table, item, "cause");
}

static int print_ended_workers(const json_t *workers, uint64_t now, FILE *stream)
{
    static const struct table_column columns[] = {
        {"SERVICE", TABLE_LEFT},     {"SLOT", TABLE_RIGHT},  {"PID", TABLE_RIGHT},
        {"ENDED", TABLE_RIGHT},      {"LIVED", TABLE_RIGHT}, {"BROKEN", TABLE_RIGHT},
        {"PEAK", TABLE_RIGHT},       {"TOTAL", TABLE_RIGHT}, {"STARTED FOR", TABLE_LEFT},
        {"RETIRED FOR", TABLE_LEFT}, {"CAUSE", TABLE_LEFT},
    };

    return print_rows(columns, ELEMENTSOF(columns), workers, now, add_ended_worker, stream);
}

static void add_end(struct table *table, const json_t *connection)
{
    bool is_rejected = reply_is_set(connection, "rejection");

    table_add(table, "%s%s%s", reply_text(connection, "end"), is_rejected ? ": " : "",
              reply_text(connection, "rejection"));
    if (strcmp(reply_text(connection, "end"), "broken") == 0)
        table_style(table, STYLE_BAD);
    else if (is_rejected)
        table_style(table, STYLE_WARNING);
}

static void add_ended_connection(struct table *table, const json_t *item, uint64_t now)
{
    cell_text(table, item, "id");
    cell_text(table, item, "service");
    add_end(table, item);
    cell_number(table, item, "worker_pid");
    cell_age(table, item, "ended_at", now);
    cell_span(table, item, "accepted_at", "ended_at");
    cell_span(table, item, "accepted_at", "handed_at");
    cell_usec(table, item, "queued_usec");
    cell_yes_no(table, item, "is_tls");
    cell_address(table, item, "client");
    cell_address(table, item, "local");
    cell_text(table, item, "ident_user");
}

static int print_ended_connections(const json_t *connections, uint64_t now, FILE *stream)
{
    static const struct table_column columns[] = {
        {"CONNECTION", TABLE_LEFT}, {"SERVICE", TABLE_LEFT}, {"HOW", TABLE_LEFT},
        {"WORKER", TABLE_RIGHT},    {"ENDED", TABLE_RIGHT},  {"LASTED", TABLE_RIGHT},
        {"WAITED", TABLE_RIGHT},    {"QUEUED", TABLE_RIGHT}, {"TLS", TABLE_LEFT},
        {"CLIENT", TABLE_LEFT},     {"SERVER", TABLE_LEFT},  {"USER", TABLE_LEFT},
    };

    return print_rows(columns, ELEMENTSOF(columns), connections, now, add_ended_connection, stream);
}

/* Why less is listed than has ended. */
static void print_not_kept(const json_t *parameters, FILE *stream)
{
    const json_t *services = json_object_get(parameters, "not_kept"), *item;
    size_t i;

    json_array_foreach(services, i, item)
        view_line(stream, "%s keeps no history: its HISTORICAL_TIME is 0, see dispatcher.cnf(5)",
                  json_string_value(item) ? json_string_value(item) : "");
}

int view_history(const json_t *parameters, _unused_ const char *service, FILE *stream)
{
    uint64_t now = reply_moment(parameters, "now");

    int r = print_ended_workers(json_object_get(parameters, "workers"), now, stream);
    fputc('\n', stream);
    if (r == 0)
        r = print_ended_connections(json_object_get(parameters, "connections"), now, stream);
    print_not_kept(parameters, stream);
    return r;
}
