/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherctl/views.h"

#include "base/macro.h"
#include "base/str.h"
#include "base/time.h"
#include "control_client/duration.h"
#include "control_client/reply.h"
#include "dispatcherctl/cells.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void view_line(FILE *stream, const char *format, ...)
{
    va_list arguments;
    char *text;

    va_start(arguments, format);
    int n = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (n < 0)
        return;
    fprintf(stream, "%s\n", table_printable(text));
    free(text);
}

/* status */

static void print_alert(const json_t *alert, uint64_t now, FILE *stream)
{
    uint64_t since = reply_moment(alert, "since");
    char age[DURATION_TEXT_MAX], *text;

    duration_format(since > 0 && since <= now ? now - since : 0, age);
    if (asprintf(&text, "ALERT for %s: %s", age, reply_text(alert, "text")) < 0)
        return;
    fprintf(stream, "%s%s%s\n", style_on(STYLE_BAD), table_printable(text), style_off(STYLE_BAD));
    free(text);
}

static void print_alerts(const json_t *parameters, FILE *stream)
{
    const json_t *alerts = json_object_get(parameters, "alerts"), *item;
    size_t i;

    json_array_foreach(alerts, i, item)
        print_alert(item, reply_moment(parameters, "now"), stream);
}

static void print_due(const json_t *parameters, FILE *stream)
{
    const json_t *due = json_object_get(parameters, "due"), *item;
    size_t i;

    json_array_foreach(due, i, item)
        view_line(stream, "DUE: %s", reply_text(item, "text"));
    if (json_array_size(due) > 0)
        view_line(stream, "to apply all that is due: %s", reply_text(parameters, "due_command"));
}

static void print_daemon(const json_t *parameters, FILE *stream)
{
    const json_t *started_at = json_object_get(parameters, "started_at");
    time_t since = (time_t)(reply_number(started_at, "realtime") / (int64_t)USEC_PER_SEC);
    uint64_t span = reply_moment(parameters, "now") - reply_moment(parameters, "started_at");
    bool has_units = strcmp(reply_text(parameters, "spawner"), "unit") == 0;
    char date[64] = "", age[DURATION_TEXT_MAX];
    struct tm local;

    if (localtime_r(&since, &local))
        strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S", &local);
    view_line(stream, "dispatcherd %s is %s since %s (%s), process %" PRId64 "; %s",
              reply_text(parameters, "version"), reply_text(parameters, "state"), date,
              duration_format(span, age), reply_number(parameters, "pid"),
              has_units ? "workers are systemd units" : "workers are child processes");
    if (reply_is_true(parameters, "is_on_last_config"))
        view_line(stream, "%s is broken; the last good configuration is in force",
                  reply_text(parameters, "config_file"));
    print_alerts(parameters, stream);
    print_due(parameters, stream);
    fputc('\n', stream);
}

static void print_waiting(const json_t *service, uint64_t now, FILE *stream)
{
    int64_t in_kernel = reply_number(json_object_get(service, "queue"), "value");
    int64_t in_daemon = reply_number(json_object_get(service, "waiting"), "value");
    uint64_t since = reply_moment(service, "queue_since");
    char age[DURATION_TEXT_MAX] = "a moment";

    if (in_kernel + in_daemon == 0 || !reply_text(service, "waits_for")[0])
        return;
    if (since > 0 && since <= now)
        duration_format(now - since, age);
    view_line(
        stream, "%s: %" PRId64 " %s for up to %s (%" PRId64 " in the kernel's queue): %s",
        reply_text(service, "name"), in_kernel + in_daemon,
        str_plural((uint64_t)(in_kernel + in_daemon), "client has waited", "clients have waited"),
        age, in_kernel, reply_text(service, "waits_for"));
}

static void print_start_error(const json_t *service, FILE *stream)
{
    if (reply_is_set(service, "start_error") && reply_number(service, "n_ready") == 0)
        view_line(stream, "%s cannot start a worker: %s", reply_text(service, "name"),
                  reply_text(service, "start_error"));
}

/* What a person should look after. */
static void print_trouble(const json_t *service, uint64_t now, FILE *stream)
{
    print_start_error(service, stream);
    print_waiting(service, now, stream);
}

static void add_service(struct table *table, const json_t *item, _unused_ uint64_t now)
{
    cell_text(table, item, "name");
    cell_state(table, item);
    cell_plain_gauge(table, item, "workers");
    cell_gauge(table, item, "active");
    cell_gauge(table, item, "handoffs");
    cell_gauge(table, item, "waiting");
    cell_gauge(table, item, "queue");
    cell_text(table, item, "accept");
}

int view_status(const json_t *parameters, _unused_ const char *service, FILE *stream)
{
    static const struct table_column columns[] = {
        {"SERVICE", TABLE_LEFT}, {"STATE", TABLE_LEFT},     {"WORKERS", TABLE_RIGHT},
        {"ACTIVE", TABLE_RIGHT}, {"HANDOFFS", TABLE_RIGHT}, {"WAITING", TABLE_RIGHT},
        {"QUEUE", TABLE_RIGHT},  {"ACCEPTS", TABLE_LEFT},
    };
    const json_t *services = json_object_get(parameters, "services");
    const json_t *item;
    size_t i;

    print_daemon(parameters, stream);
    int r = print_rows(columns, ELEMENTSOF(columns), services, 0, add_service, stream);
    json_array_foreach(services, i, item)
        print_trouble(item, reply_moment(parameters, "now"), stream);
    return r == 0 ? view_dns_lists(parameters, stream) : r;
}

/* services */

static void add_gauges(struct table *table, const json_t *item, uint64_t now)
{
    cell_text(table, item, "name");
    cell_state(table, item);
    cell_plain_gauge(table, item, "workers");
    cell_number(table, item, "n_starting");
    cell_number(table, item, "n_ready");
    cell_number(table, item, "n_draining");
    cell_gauge(table, item, "active");
    cell_gauge(table, item, "handoffs");
    cell_gauge(table, item, "waiting");
    cell_gauge(table, item, "checking");
    cell_gauge(table, item, "queue");
    cell_age(table, item, "queue_since", now);
    cell_text(table, item, "waits_for");
}

static int print_gauges(const json_t *services, uint64_t now, FILE *stream)
{
    static const struct table_column columns[] = {
        {"SERVICE", TABLE_LEFT},   {"STATE", TABLE_LEFT},     {"WORKERS", TABLE_RIGHT},
        {"STARTING", TABLE_RIGHT}, {"READY", TABLE_RIGHT},    {"DRAINING", TABLE_RIGHT},
        {"ACTIVE", TABLE_RIGHT},   {"HANDOFFS", TABLE_RIGHT}, {"WAITING", TABLE_RIGHT},
        {"CHECKING", TABLE_RIGHT}, {"QUEUE", TABLE_RIGHT},    {"SINCE", TABLE_RIGHT},
        {"WAITS FOR", TABLE_LEFT},
    };

    return print_rows(columns, ELEMENTSOF(columns), services, now, add_gauges, stream);
}

static void add_counters(struct table *table, const json_t *item, _unused_ uint64_t now)
{
    const json_t *statistics = json_object_get(item, "statistics");

    cell_text(table, item, "name");
    cell_number(table, statistics, "n_accepted");
    cell_number(table, statistics, "n_admitted");
    cell_number(table, statistics, "n_rejected");
    cell_number(table, statistics, "n_ended");
    cell_number(table, statistics, "n_broken");
    cell_number(table, statistics, "n_gone");
    cell_number(table, statistics, "n_unserved");
    cell_number(table, statistics, "n_times_full");
    cell_number(table, statistics, "n_failed_starts");
    cell_number(table, statistics, "n_failed_handoffs");
}

static int print_counters(const json_t *services, FILE *stream)
{
    static const struct table_column columns[] = {
        {"SERVICE", TABLE_LEFT},        {"ACCEPTED", TABLE_RIGHT},        {"ADMITTED", TABLE_RIGHT},
        {"REJECTED", TABLE_RIGHT},      {"ENDED", TABLE_RIGHT},           {"BROKEN", TABLE_RIGHT},
        {"GONE", TABLE_RIGHT},          {"UNSERVED", TABLE_RIGHT},        {"FULL", TABLE_RIGHT},
        {"FAILED STARTS", TABLE_RIGHT}, {"FAILED HANDOFFS", TABLE_RIGHT},
    };

    return print_rows(columns, ELEMENTSOF(columns), services, 0, add_counters, stream);
}

/* Each as MINIMUM/AVERAGE/MAXIMUM. */
static void add_extremes(struct table *table, const json_t *item, _unused_ uint64_t now)
{
    const json_t *statistics = json_object_get(item, "statistics");

    cell_text(table, item, "name");
    cell_extremes(table, json_object_get(statistics, "concurrent"), false);
    cell_extremes(table, json_object_get(statistics, "hourly"), false);
    cell_extremes(table, json_object_get(statistics, "duration"), true);
    cell_extremes(table, json_object_get(statistics, "wait"), true);
    cell_extremes(table, json_object_get(statistics, "backlog"), true);
}

static int print_extremes(const json_t *services, FILE *stream)
{
    static const struct table_column columns[] = {
        {"SERVICE", TABLE_LEFT},
        {"CONCURRENT", TABLE_RIGHT},
        {"AN HOUR", TABLE_RIGHT},
        {"LASTED", TABLE_RIGHT},
        {"WAITED FOR A WORKER", TABLE_RIGHT},
        {"IN THE QUEUE", TABLE_RIGHT},
    };

    return print_rows(columns, ELEMENTSOF(columns), services, 0, add_extremes, stream);
}

static int print_listeners(const json_t *services, uint64_t now, FILE *stream)
{
    static const struct table_column columns[] = {
        {"SERVICE", TABLE_LEFT},  {"QUEUE", TABLE_RIGHT}, {"SINCE", TABLE_RIGHT},
        {"DROPPED", TABLE_RIGHT}, {"TLS", TABLE_LEFT},    {"LISTENS AT", TABLE_LEFT},
    };
    struct table table = table_init(columns, ELEMENTSOF(columns));
    const json_t *service, *item;
    size_t i, j;

    json_array_foreach(services, i, service) {
        json_array_foreach(json_object_get(service, "listeners"), j, item) {
            char text[128];
            struct str_buffer buffer = str_buffer_init(text, sizeof(text));

            format_address(item, &buffer);
            cell_text(&table, service, "name");
            cell_gauge(&table, item, "queue");
            cell_age(&table, item, "queue_since", now);
            cell_number(&table, item, "n_dropped");
            cell_yes_no(&table, item, "is_tls");
            table_add(&table, "%s", text);
        }
    }
    return print_and_clear(&table, stream);
}

/* "SMTP rejected 3 by dns_list, 1 by throttle", if there was something to reject. */
static void print_rejections(const json_t *service, FILE *stream)
{
    const json_t *statistics = json_object_get(service, "statistics");
    json_t *rejected = json_object_get(statistics, "rejected"), *value;
    char text[512];
    struct str_buffer line = str_buffer_init(text, sizeof(text));
    const char *reason;

    if (reply_number(statistics, "n_rejected") == 0)
        return;
    str_buffer_add(&line, "%s rejections:", reply_text(service, "name"));
    json_object_foreach(rejected, reason, value) {
        if (json_integer_value(value) > 0)
            str_buffer_add(&line, " %s %" PRId64, reason, (int64_t)json_integer_value(value));
    }
    view_line(stream, "%s", text);
}

int view_figures(const json_t *parameters, FILE *stream)
{
    const json_t *services = json_object_get(parameters, "services");
    const json_t *item;
    size_t i;

    int r = print_counters(services, stream);
    json_array_foreach(services, i, item)
        print_rejections(item, stream);
    fputs("\nminimum/average/maximum:\n", stream);
    return r == 0 ? print_extremes(services, stream) : r;
}

/* What "history" lacks, since only so many are kept of a service. */
static void print_forgotten(const json_t *service, FILE *stream)
{
    const json_t *history = json_object_get(json_object_get(service, "statistics"), "history");
    int64_t n_connections = reply_number(history, "n_dropped_connections");
    int64_t n_workers = reply_number(history, "n_dropped_workers");

    if (n_connections == 0 && n_workers == 0)
        return;
    view_line(stream,
              "%s: %" PRId64 " ended %s and %" PRId64
              " ended %s were dropped before HISTORICAL_TIME was over; the history is limited to "
              "%" PRId64 " and %" PRId64,
              reply_text(service, "name"), n_connections,
              str_plural((uint64_t)n_connections, "connection", "connections"), n_workers,
              str_plural((uint64_t)n_workers, "worker", "workers"),
              reply_number(json_object_get(history, "connections"), "limit"),
              reply_number(json_object_get(history, "workers"), "limit"));
}

int view_services(const json_t *parameters, _unused_ const char *service, FILE *stream)
{
    const json_t *services = json_object_get(parameters, "services");
    uint64_t now = reply_moment(parameters, "now");
    const json_t *item;
    size_t i;

    int r = print_gauges(services, now, stream);
    fputc('\n', stream);
    if (r == 0)
        r = view_figures(parameters, stream);
    fputc('\n', stream);
    if (r == 0)
        r = print_listeners(services, now, stream);
    json_array_foreach(services, i, item) {
        print_start_error(item, stream);
        print_forgotten(item, stream);
    }
    return r;
}
