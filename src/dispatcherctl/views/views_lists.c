/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherctl/views/views.h"

#include "base/macro.h"
#include "base/time.h"
#include "control_client/reply.h"
#include "dispatcherctl/views/cells.h"

#include <string.h>

/* workers */

static void add_retirement(struct table *table, const struct row *row, const char *name)
{
    if (reply_is_set(row->item, name))
        cell_text(table, row, name);
    else
        table_add(table, "%s", reply_is_true(row->item, "is_outdated") ? "outdated, due" : "");
}

int view_workers(const json_t *parameters, _unused_ const char *service, FILE *stream)
{
    static const struct column columns[] = {
        {{"SERVICE", TABLE_LEFT}, cell_text, "service"},
        {{"SLOT", TABLE_RIGHT}, cell_number, "slot"},
        {{"PID", TABLE_RIGHT}, cell_number, "pid"},
        {{"STATE", TABLE_LEFT}, cell_text, "state"},
        {{"CONNECTIONS", TABLE_RIGHT}, cell_gauge, "connections"},
        {{"PEAK", TABLE_RIGHT}, cell_number, "n_peak"},
        {{"TOTAL", TABLE_RIGHT}, cell_number, "n_total"},
        {{"AGE", TABLE_RIGHT}, cell_age, "started_at"},
        {{"IDLE", TABLE_RIGHT}, cell_age, "idle_since"},
        {{"STARTED FOR", TABLE_LEFT}, cell_text, "start_reason"},
        {{"RETIRED FOR", TABLE_LEFT}, add_retirement, "retire_reason"},
        {{"UNIT", TABLE_LEFT}, cell_text, "unit"},
    };
    uint64_t now = reply_moment(parameters, "now");
    const json_t *workers = json_object_get(parameters, "workers");

    return print_rows(columns, ELEMENTSOF(columns), workers, now, stream);
}

/* connections */

int view_connections(const json_t *parameters, _unused_ const char *service, FILE *stream)
{
    static const struct column columns[] = {
        {{"CONNECTION", TABLE_LEFT}, cell_text, "id"},
        {{"SERVICE", TABLE_LEFT}, cell_text, "service"},
        {{"STATE", TABLE_LEFT}, cell_text, "state"},
        {{"WORKER", TABLE_RIGHT}, cell_number, "worker_pid"},
        {{"AGE", TABLE_RIGHT}, cell_age, "accepted_at"},
        {{"TLS", TABLE_LEFT}, cell_tls, ""},
        {{"CLIENT", TABLE_LEFT}, cell_address, "client"},
        {{"SERVER", TABLE_LEFT}, cell_address, "local"},
        {{"USER", TABLE_LEFT}, cell_text, "ident_user"},
    };
    uint64_t now = reply_moment(parameters, "now");
    const json_t *connections = json_object_get(parameters, "connections");

    return print_rows(columns, ELEMENTSOF(columns), connections, now, stream);
}

/* history */

/* The sessions that the worker had when it ended. */
static void add_broken(struct table *table, const struct row *row, const char *name)
{
    cell_number(table, row, name);
    table_style(table, reply_number(row->item, name) > 0 ? STYLE_BAD : STYLE_PLAIN);
}

static int print_ended_workers(const json_t *workers, uint64_t now, FILE *stream)
{
    static const struct column columns[] = {
        {{"SERVICE", TABLE_LEFT}, cell_text, "service"},
        {{"SLOT", TABLE_RIGHT}, cell_number, "slot"},
        {{"PID", TABLE_RIGHT}, cell_number, "pid"},
        {{"ENDED", TABLE_RIGHT}, cell_age, "ended_at"},
        {{"LIVED", TABLE_RIGHT}, cell_lasted, "started_at"},
        {{"BROKEN", TABLE_RIGHT}, add_broken, "n_current"},
        {{"PEAK", TABLE_RIGHT}, cell_number, "n_peak"},
        {{"TOTAL", TABLE_RIGHT}, cell_number, "n_total"},
        {{"STARTED FOR", TABLE_LEFT}, cell_text, "start_reason"},
        {{"RETIRED FOR", TABLE_LEFT}, cell_text, "retire_reason"},
        {{"CAUSE", TABLE_LEFT}, cell_text, "cause"},
    };

    return print_rows(columns, ELEMENTSOF(columns), workers, now, stream);
}

static bool is_end(const struct row *row, const char *name, const char *end)
{
    return strcmp(reply_text(row->item, name), end) == 0;
}

static void add_end(struct table *table, const struct row *row, const char *name)
{
    bool is_rejected = reply_is_set(row->item, "rejection");

    table_add(table, "%s%s%s", reply_text(row->item, name), is_rejected ? ": " : "",
              reply_text(row->item, "rejection"));
    if (is_end(row, name, "broken"))
        table_style(table, STYLE_BAD);
    else if (is_rejected || is_end(row, name, "failed") || is_end(row, name, "sent-away"))
        table_style(table, STYLE_WARNING);
}

static int print_ended_connections(const json_t *connections, uint64_t now, FILE *stream)
{
    static const struct column columns[] = {
        {{"CONNECTION", TABLE_LEFT}, cell_text, "id"},
        {{"SERVICE", TABLE_LEFT}, cell_text, "service"},
        {{"HOW", TABLE_LEFT}, add_end, "end"},
        {{"WORKER", TABLE_RIGHT}, cell_number, "worker_pid"},
        {{"ENDED", TABLE_RIGHT}, cell_age, "ended_at"},
        {{"LASTED", TABLE_RIGHT}, cell_lasted, "accepted_at"},
        {{"WAITED", TABLE_RIGHT}, cell_waited, "accepted_at"},
        {{"QUEUED", TABLE_RIGHT}, cell_usec, "queued_usec"},
        {{"TLS", TABLE_LEFT}, cell_tls, ""},
        {{"CLIENT", TABLE_LEFT}, cell_address, "client"},
        {{"SERVER", TABLE_LEFT}, cell_address, "local"},
        {{"USER", TABLE_LEFT}, cell_text, "ident_user"},
    };

    return print_rows(columns, ELEMENTSOF(columns), connections, now, stream);
}

/* Prints why fewer are listed than have ended. */
static void print_not_kept(const json_t *parameters, FILE *stream)
{
    const json_t *services = json_object_get(parameters, "not_kept"), *item;
    size_t i;

    json_array_foreach(services, i, item)
        table_line(stream, "%s keeps no history: its HISTORICAL_TIME is 0, see dispatcher.cnf(5)",
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
