/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherctl/views/views.h"

#include "base/macro.h"
#include "base/str.h"
#include "base/time.h"
#include "control_client/duration.h"
#include "control_client/reply.h"
#include "dispatcherctl/views/cells.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* status */

static void print_alert(const json_t *alert, uint64_t now, FILE *stream)
{
    uint64_t since = reply_moment(alert, "since");
    char age[DURATION_TEXT_MAX], *text;

    duration_format(since > 0 && since <= now ? now - since : 0, age);
    if (asprintf(&text, "ALERT for %s: %s", age, reply_text(alert, "text")) < 0)
        return;
    fprintf(stream, "%s%s%s\n", style_on(STYLE_BAD), str_make_printable(text),
            style_off(STYLE_BAD));
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
        table_line(stream, "DUE: %s", reply_text(item, "text"));
    if (json_array_size(due) > 0)
        table_line(stream, "to apply all that is due: %s", reply_text(parameters, "due_command"));
}

static const char *age_of(const json_t *object, const char *member, uint64_t now,
                          char age[DURATION_TEXT_MAX])
{
    uint64_t at = reply_moment(object, member);

    return duration_format(at <= now ? now - at : 0, age);
}

/* What holds beside the throttles, if anything does. */
static void print_fleet_settings(const json_t *fleet, FILE *stream)
{
    uint64_t wait_usec = (uint64_t)reply_number(fleet, "wait_limit_usec");
    int64_t n_addresses = reply_number(fleet, "n_addresses");
    char text[DURATION_TEXT_MAX];

    if (wait_usec > 0)
        table_line(stream,
                   "fleet: checks wait for the store for up to %s; %" PRId64 " waited, %" PRId64
                   " of them in vain",
                   duration_format(wait_usec, text), reply_number(fleet, "n_waits"),
                   reply_number(fleet, "n_waits_in_vain"));
    if (reply_is_true(fleet, "has_addresses"))
        table_line(stream,
                   "fleet: MAX_CONNS_PER_ADDRESS holds over all hosts; open connections of %" PRId64
                   " %s are known",
                   n_addresses, str_plural((uint64_t)n_addresses, "address", "addresses"));
}

static void print_fleet(const json_t *parameters, FILE *stream)
{
    const json_t *fleet = json_object_get(parameters, "fleet");
    uint64_t now = reply_moment(parameters, "now");
    char age[DURATION_TEXT_MAX], known[DURATION_TEXT_MAX], away[DURATION_TEXT_MAX];

    if (!json_is_object(fleet))
        return;
    duration_format((uint64_t)reply_number(fleet, "down_usec"), away);
    bool has_answered = reply_is_set(fleet, "answered_at");
    table_line(stream,
               "fleet: this is %s; the store %s %s %s; %s%s%s%" PRId64 " answers, %" PRId64
               " late, away for %s in all",
               reply_text(fleet, "name"), reply_text(fleet, "store"),
               reply_is_true(fleet, "is_up") ? "has been connected for" : "has been away for",
               age_of(fleet, "since", now, age), has_answered ? "its last answer is " : "",
               has_answered ? age_of(fleet, "answered_at", now, known) : "",
               has_answered ? " old; " : "", reply_number(fleet, "n_answers"),
               reply_number(fleet, "n_late"), away);
    print_fleet_settings(fleet, stream);
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
    table_line(stream, "dispatcherd %s is %s since %s (%s), process %" PRId64 "; %s",
               reply_text(parameters, "version"), reply_text(parameters, "state"), date,
               duration_format(span, age), reply_number(parameters, "pid"),
               has_units ? "workers are systemd units" : "workers are child processes");
    if (reply_is_set(parameters, "config_hash"))
        table_line(stream, "options in force have the hash %s, mapping files %s",
                   reply_text(parameters, "config_hash"),
                   reply_is_set(parameters, "mapping_hash") ? reply_text(parameters, "mapping_hash")
                                                            : "none");
    if (reply_is_true(parameters, "is_on_last_config"))
        table_line(stream, "%s is broken; the last good configuration is in force",
                   reply_text(parameters, "config_file"));
    print_fleet(parameters, stream);
    print_alerts(parameters, stream);
    print_due(parameters, stream);
    fputc('\n', stream);
}

static void print_waiting(const json_t *service, uint64_t now, FILE *stream)
{
    int64_t in_kernel = reply_number(json_object_get(service, "queue"), "value");
    int64_t in_daemon = reply_number(json_object_get(service, "waiting"), "value");
    uint64_t since = reply_moment(service, "queue_since");
    char age[DURATION_TEXT_MAX] = "a moment", title[ROW_TITLE_MAX];

    if (in_kernel + in_daemon == 0 || !reply_text(service, "waits_for")[0])
        return;
    if (since > 0 && since <= now)
        duration_format(now - since, age);
    table_line(
        stream, "%s: %" PRId64 " %s for up to %s (%" PRId64 " in the kernel's queue): %s",
        row_title(service, "name", title), in_kernel + in_daemon,
        str_plural((uint64_t)(in_kernel + in_daemon), "client has waited", "clients have waited"),
        age, in_kernel, reply_text(service, "waits_for"));
}

static void print_start_error(const json_t *service, FILE *stream)
{
    char title[ROW_TITLE_MAX];

    if (reply_is_set(service, "start_error") && reply_number(service, "n_ready") == 0)
        table_line(stream, "%s cannot start a worker: %s", row_title(service, "name", title),
                   reply_text(service, "start_error"));
}

static void print_passed_on(const json_t *service, FILE *stream)
{
    int64_t n = reply_number(service, "passed_on");
    char title[ROW_TITLE_MAX];

    if (n > 0)
        table_line(stream,
                   "%s: %" PRId64 " of the active connections %s passed on to another program; "
                   "%s noticed within %.1f s",
                   row_title(service, "name", title), n, n == 1 ? "was" : "were",
                   n == 1 ? "its end is" : "their ends are",
                   (double)reply_number(service, "passed_on_within_usec") / USEC_PER_SEC);
}

/* Prints what an administrator should look after or know. */
static void print_trouble(const json_t *service, uint64_t now, FILE *stream)
{
    print_start_error(service, stream);
    print_passed_on(service, stream);
    print_waiting(service, now, stream);
}

int view_summaries(const json_t *parameters, FILE *stream)
{
    static const struct column columns[] = {
        {{"SERVICE", TABLE_LEFT}, cell_text, "name"},
        {{"STATE", TABLE_LEFT}, cell_state, "state"},
        {{"WORKERS", TABLE_RIGHT}, cell_plain_gauge, "workers"},
        {{"ACTIVE", TABLE_RIGHT}, cell_gauge, "active"},
        {{"HANDOFFS", TABLE_RIGHT}, cell_gauge, "handoffs"},
        {{"WAITING", TABLE_RIGHT}, cell_gauge, "waiting"},
        {{"QUEUE", TABLE_RIGHT}, cell_gauge, "queue"},
        {{"ACCEPTS", TABLE_LEFT}, cell_text, "accept"},
    };
    const json_t *services = json_object_get(parameters, "services");
    const json_t *item;
    size_t i;

    int r = print_rows(columns, ELEMENTSOF(columns), services, 0, stream);
    json_array_foreach(services, i, item)
        print_trouble(item, reply_moment(parameters, "now"), stream);
    return r;
}

int view_status(const json_t *parameters, _unused_ const char *service, FILE *stream)
{
    print_daemon(parameters, stream);
    int r = view_summaries(parameters, stream);
    return r == 0 ? view_dns(parameters, stream) : r;
}

/* services */

static int print_gauges(const json_t *services, uint64_t now, FILE *stream)
{
    static const struct column columns[] = {
        {{"SERVICE", TABLE_LEFT}, cell_text, "name"},
        {{"STATE", TABLE_LEFT}, cell_state, "state"},
        {{"WORKERS", TABLE_RIGHT}, cell_plain_gauge, "workers"},
        {{"STARTING", TABLE_RIGHT}, cell_number, "n_starting"},
        {{"READY", TABLE_RIGHT}, cell_number, "n_ready"},
        {{"DRAINING", TABLE_RIGHT}, cell_number, "n_draining"},
        {{"ACTIVE", TABLE_RIGHT}, cell_gauge, "active"},
        {{"HANDOFFS", TABLE_RIGHT}, cell_gauge, "handoffs"},
        {{"WAITING", TABLE_RIGHT}, cell_gauge, "waiting"},
        {{"CHECKING", TABLE_RIGHT}, cell_gauge, "checking"},
        {{"QUEUE", TABLE_RIGHT}, cell_gauge, "queue"},
        {{"SINCE", TABLE_RIGHT}, cell_age, "queue_since"},
        {{"WAITS FOR", TABLE_LEFT}, cell_text, "waits_for"},
    };

    return print_rows(columns, ELEMENTSOF(columns), services, now, stream);
}

static int print_counters(const json_t *services, FILE *stream)
{
    static const struct column columns[] = {
        {{"SERVICE", TABLE_LEFT}, cell_text, "name"},
        {{"ACCEPTED", TABLE_RIGHT}, cell_counter, "n_accepted"},
        {{"ADMITTED", TABLE_RIGHT}, cell_counter, "n_admitted"},
        {{"REJECTED", TABLE_RIGHT}, cell_counter, "n_rejected"},
        {{"ENDED", TABLE_RIGHT}, cell_counter, "n_ended"},
        {{"FAILED", TABLE_RIGHT}, cell_counter, "n_failed_sessions"},
        {{"SENT AWAY", TABLE_RIGHT}, cell_counter, "n_sent_away"},
        {{"BROKEN", TABLE_RIGHT}, cell_counter, "n_broken"},
        {{"GONE", TABLE_RIGHT}, cell_counter, "n_gone"},
        {{"UNSERVED", TABLE_RIGHT}, cell_counter, "n_unserved"},
        {{"FULL", TABLE_RIGHT}, cell_counter, "n_times_full"},
        {{"TLS", TABLE_RIGHT}, cell_counter, "n_tls"},
        {{"FAILED TLS", TABLE_RIGHT}, cell_counter, "n_tls_failed"},
        {{"FAILED STARTS", TABLE_RIGHT}, cell_counter, "n_failed_starts"},
        {{"FAILED HANDOFFS", TABLE_RIGHT}, cell_counter, "n_failed_handoffs"},
    };

    return print_rows(columns, ELEMENTSOF(columns), services, 0, stream);
}

static int print_extremes(const json_t *services, FILE *stream)
{
    static const struct column columns[] = {
        {{"SERVICE", TABLE_LEFT}, cell_text, "name"},
        {{"CONCURRENT", TABLE_RIGHT}, cell_extremes, "concurrent"},
        {{"AN HOUR", TABLE_RIGHT}, cell_extremes, "hourly"},
        {{"LASTED", TABLE_RIGHT}, cell_extremes_usec, "duration"},
        {{"WAITED FOR A WORKER", TABLE_RIGHT}, cell_extremes_usec, "wait"},
        {{"IN THE QUEUE", TABLE_RIGHT}, cell_extremes_usec, "backlog"},
    };

    return print_rows(columns, ELEMENTSOF(columns), services, 0, stream);
}

/* Prints a row for each listener, with its service's name. */
static int print_listeners(const json_t *services, uint64_t now, FILE *stream)
{
    static const struct column columns[] = {
        {{"SERVICE", TABLE_LEFT}, cell_text, "service"},
        {{"QUEUE", TABLE_RIGHT}, cell_gauge, "queue"},
        {{"SINCE", TABLE_RIGHT}, cell_age, "queue_since"},
        {{"DROPPED", TABLE_RIGHT}, cell_number, "n_dropped"},
        {{"TLS", TABLE_LEFT}, cell_yes_no, "is_tls"},
        {{"LISTENS AT", TABLE_LEFT}, cell_own_address, ""},
    };
    json_auto_t *listeners = json_array();
    json_t *service, *item;
    size_t i, j;

    json_array_foreach(services, i, service) {
        json_t *host = json_object_get(service, "host");

        json_array_foreach(json_object_get(service, "listeners"), j, item)
            if (json_object_set(item, "service", json_object_get(service, "name")) < 0 ||
                (host && json_object_set(item, "host", host) < 0) ||
                json_array_append(listeners, item) < 0)
                return -ENOMEM;
    }
    return print_rows(columns, ELEMENTSOF(columns), listeners, now, stream);
}

/* Prints a line like "SMTP rejections: dns_list 3 throttle 1" if there were any. `sum` and `parts`
 * are members of the statistics. */
static void print_reasons(const json_t *service, const char *what, const char *sum,
                          const char *parts, FILE *stream)
{
    const json_t *statistics = json_object_get(service, "statistics");
    json_t *counts = json_object_get(statistics, parts), *value;
    char text[512 + ROW_TITLE_MAX], title[ROW_TITLE_MAX];
    struct str_buffer line = str_buffer_init(text, sizeof(text));
    const char *reason;

    if (reply_number(statistics, sum) == 0)
        return;
    str_buffer_add(&line, "%s %s:", row_title(service, "name", title), what);
    json_object_foreach(counts, reason, value) {
        if (json_integer_value(value) > 0)
            str_buffer_add(&line, " %s %" PRId64, reason, (int64_t)json_integer_value(value));
    }
    table_line(stream, "%s", text);
}

int view_figures(const json_t *parameters, FILE *stream)
{
    const json_t *services = json_object_get(parameters, "services");
    const json_t *item;
    size_t i;

    int r = print_counters(services, stream);
    json_array_foreach(services, i, item) {
        print_reasons(item, "rejections", "n_rejected", "rejected", stream);
        print_reasons(item, "failed handshakes of TLS", "n_tls_failed", "tls_failed", stream);
    }
    fputs("\nminimum/average/maximum:\n", stream);
    return r == 0 ? print_extremes(services, stream) : r;
}

/* Reports how many "history" has left out, since only so many are kept for a service. */
static void print_forgotten(const json_t *service, FILE *stream)
{
    const json_t *history = json_object_get(json_object_get(service, "statistics"), "history");
    int64_t n_connections = reply_number(history, "n_dropped_connections");
    int64_t n_workers = reply_number(history, "n_dropped_workers");
    char title[ROW_TITLE_MAX];

    if (n_connections == 0 && n_workers == 0)
        return;
    table_line(stream,
               "%s: %" PRId64 " ended %s and %" PRId64
               " ended %s were dropped before HISTORICAL_TIME was over; the history is limited to "
               "%" PRId64 " and %" PRId64,
               row_title(service, "name", title), n_connections,
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
