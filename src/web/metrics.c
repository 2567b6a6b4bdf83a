/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "web/metrics.h"

#include "base/macro.h"
#include "base/time.h"
#include "control_client/reply.h"

#include <inttypes.h>
#include <string.h>

const char *const metrics_content_type[] = {
    [METRICS_PLAIN] = "text/plain; version=0.0.4; charset=utf-8",
    [METRICS_OPEN] = "application/openmetrics-text; version=1.0.0; charset=utf-8",
};

/* Where a figure is found: member `name`, and `part` of it where that is an object. */
struct metric {
    const char *name; /* of the metric, below "dispatcherd_", without "_total" */
    const char *member;
    const char *part;
    bool is_usec; /* said in seconds */
    const char *help;
};

static const struct metric gauges[] = {
    {"workers", "workers", "value", false, "Worker processes."},
    {"workers_max", "workers", "limit", false, "Maximum of worker processes (MAX_PROCS)."},
    {"workers_starting", "n_starting", NULL, false, "Workers that are starting."},
    {"workers_draining", "n_draining", NULL, false,
     "Workers that accept no new connections and finish theirs."},
    {"active_connections", "active", "value", false, "Connections that workers serve."},
    {"active_connections_max", "active", "limit", false,
     "Maximum of connections that workers serve (MAX_PROCS times MAX_CONNS)."},
    {"handoffs", "handoffs", "value", false,
     "Connections sent to a worker and not yet acknowledged."},
    {"handoffs_max", "handoffs", "limit", false,
     "Maximum of unacknowledged connections (MAX_HANDOFFS)."},
    {"waiting_connections", "waiting", "value", false, "Connections that wait for a worker."},
    {"waiting_connections_max", "waiting", "limit", false,
     "Maximum of waiting connections: the number of free places."},
    {"checking_connections", "checking", "value", false,
     "Connections that access control is checking."},
    {"checking_connections_max", "checking", "limit", false,
     "Maximum of connections that access control checks at a time."},
    {"queue_connections", "queue", "value", false,
     "Connections in the kernel's queue, not yet accepted."},
    {"queue_connections_max", "queue", "limit", false, "Size of the kernel's queue."},
};

static const struct metric statistics_gauges[] = {
    {"concurrent_connections_average", "concurrent", "average", false,
     "Concurrent connections since the service began, weighted by time."},
    {"concurrent_connections_peak", "concurrent", "max", false,
     "Highest number of concurrent connections."},
    {"duration_longest_seconds", "duration", "max_usec", true,
     "Longest time from accept to the end of the connection."},
    {"wait_longest_seconds", "wait", "max_usec", true,
     "Longest time from accept to the hand-off to a worker."},
};

/* Spans: how many there were, and how long all of them together took. Without quantiles, which are
 * not counted. */
static const struct metric summaries[] = {
    {"duration_seconds", "duration", NULL, true,
     "Time from accept to the end, of connections that workers served."},
    {"wait_seconds", "wait", NULL, true, "Time from accept to the hand-off to a worker."},
    {"queue_seconds", "backlog", NULL, true,
     "Time in the kernel's queue before accept (estimated)."},
};

static const struct metric counters[] = {
    {"accepted_connections", "n_accepted", NULL, false, "Connections accepted."},
    {"admitted_connections", "n_admitted", NULL, false,
     "Connections that access control admitted."},
    {"ended_connections", "n_ended", NULL, false, "Connections served to their end."},
    {"broken_connections", "n_broken", NULL, false, "Connections whose worker died."},
    {"gone_connections", "n_gone", NULL, false,
     "Connections that the client closed before a worker received them."},
    {"unserved_connections", "n_unserved", NULL, false,
     "Connections closed because no worker could be started while the service was stopping."},
    {"failed_worker_starts", "n_failed_starts", NULL, false, "Workers that could not be started."},
    {"failed_handoffs", "n_failed_handoffs", NULL, false,
     "Hand-offs that failed; the connection went to another worker."},
    {"times_full", "n_times_full", NULL, false, "How often all places were taken."},
};

void metrics_label(FILE *stream, const char *value)
{
    for (const char *s = value; *s; s++) {
        if (*s == '\n')
            fputs("\\n", stream);
        else if (*s == '"' || *s == '\\')
            fprintf(stream, "\\%c", *s);
        else
            fputc(*s, stream);
    }
}

/* A counter's family is named with "_total" in the one format, without in the other. */
static void write_head(FILE *stream, enum metrics_format format, const char *name, const char *type,
                       const char *help)
{
    bool is_counter = strcmp(type, "counter") == 0;
    const char *suffix = is_counter && format == METRICS_PLAIN ? "_total" : "";

    fprintf(stream, "# HELP dispatcherd_%s%s %s\n# TYPE dispatcherd_%s%s %s\n", name, suffix, help,
            name, suffix, type);
}

static void write_usec(FILE *stream, int64_t usec)
{
    fprintf(stream, "%.6f\n", (double)usec / (double)USEC_PER_SEC);
}

static void write_value(FILE *stream, const struct metric *metric, const json_t *object)
{
    const json_t *value = json_object_get(object, metric->member);

    if (metric->part)
        value = json_object_get(value, metric->part);
    if (metric->is_usec)
        write_usec(stream, json_integer_value(value));
    else if (json_is_real(value))
        fprintf(stream, "%.6f\n", json_real_value(value));
    else
        fprintf(stream, "%" PRId64 "\n", (int64_t)json_integer_value(value));
}

static void write_family(FILE *stream, enum metrics_format format, const struct metric *metric,
                         const char *type, const json_t *services, const char *within)
{
    const char *suffix = strcmp(type, "counter") == 0 ? "_total" : "";
    const json_t *service;
    size_t i;

    write_head(stream, format, metric->name, type, metric->help);
    json_array_foreach(services, i, service) {
        const json_t *object = within ? json_object_get(service, within) : service;

        fprintf(stream, "dispatcherd_%s%s{service=\"", metric->name, suffix);
        metrics_label(stream, reply_text(service, "name"));
        fputs("\"} ", stream);
        write_value(stream, metric, object);
    }
}

static void write_families(FILE *stream, enum metrics_format format, const struct metric *metrics,
                           size_t n, const char *type, const json_t *services, const char *within)
{
    for (size_t i = 0; i < n; i++)
        write_family(stream, format, &metrics[i], type, services, within);
}

static void write_summary(FILE *stream, enum metrics_format format, const struct metric *metric,
                          const json_t *services)
{
    const json_t *service;
    size_t i;

    write_head(stream, format, metric->name, "summary", metric->help);
    json_array_foreach(services, i, service) {
        const json_t *span =
            json_object_get(json_object_get(service, "statistics"), metric->member);

        fprintf(stream, "dispatcherd_%s_sum{service=\"", metric->name);
        metrics_label(stream, reply_text(service, "name"));
        fputs("\"} ", stream);
        write_usec(stream, reply_number(span, "sum_usec"));
        fprintf(stream, "dispatcherd_%s_count{service=\"", metric->name);
        metrics_label(stream, reply_text(service, "name"));
        fprintf(stream, "\"} %" PRId64 "\n", reply_number(span, "n"));
    }
}

static void write_rejections(FILE *stream, enum metrics_format format, const json_t *services)
{
    const json_t *service;
    size_t i;

    write_head(stream, format, "rejected_connections", "counter",
               "Connections that access control rejected, by reason.");
    json_array_foreach(services, i, service) {
        json_t *rejected = json_object_get(json_object_get(service, "statistics"), "rejected");
        const char *reason;
        json_t *n;

        json_object_foreach(rejected, reason, n) {
            fputs("dispatcherd_rejected_connections_total{service=\"", stream);
            metrics_label(stream, reply_text(service, "name"));
            fputs("\",reason=\"", stream);
            metrics_label(stream, reason);
            fprintf(stream, "\"} %" PRId64 "\n", (int64_t)json_integer_value(n));
        }
    }
}

static int64_t n_dropped(const json_t *service)
{
    const json_t *listener;
    int64_t n = 0;
    size_t i;

    json_array_foreach(json_object_get(service, "listeners"), i, listener)
        n += reply_number(listener, "n_dropped");
    return n;
}

/* Since the sockets were made: with new ones it begins again, as a counter may. */
static void write_dropped(FILE *stream, enum metrics_format format, const json_t *services)
{
    const json_t *service;
    size_t i;

    write_head(stream, format, "kernel_dropped_connections", "counter",
               "Connections that the kernel dropped because its queue was full.");
    json_array_foreach(services, i, service) {
        fputs("dispatcherd_kernel_dropped_connections_total{service=\"", stream);
        metrics_label(stream, reply_text(service, "name"));
        fprintf(stream, "\"} %" PRId64 "\n", n_dropped(service));
    }
}

static void write_accepts(FILE *stream, enum metrics_format format, const json_t *services)
{
    const json_t *service;
    size_t i;

    write_head(stream, format, "service_running", "gauge",
               "1 if the service is neither stopped nor stopping.");
    json_array_foreach(services, i, service) {
        const char *state = reply_text(service, "state");
        bool is_running = strcmp(state, "running") == 0 || strcmp(state, "full") == 0;

        fputs("dispatcherd_service_running{service=\"", stream);
        metrics_label(stream, reply_text(service, "name"));
        fprintf(stream, "\"} %d\n", is_running);
    }
}

/* "dns_list" is of no service. */
static const char *const service_alerts[] = {"full",        "waiting",  "dying",
                                             "unreachable", "refusing", "backend"};

static bool is_raised(const json_t *alerts, const char *kind, const char *member, const char *value)
{
    const json_t *alert;
    size_t i;

    json_array_foreach(alerts, i, alert) {
        if (strcmp(reply_text(alert, "alert"), kind) == 0 &&
            strcmp(reply_text(alert, member), value) == 0)
            return true;
    }
    return false;
}

static void write_alerts(FILE *stream, enum metrics_format format, const json_t *status)
{
    const json_t *alerts = json_object_get(status, "alerts"), *item;
    size_t i;

    write_head(stream, format, "alert", "gauge",
               "1 if an administrator should act: a service is full, keeps clients waiting, loses "
               "its workers, cannot be reached, or refuses everybody; or a DNS list (zone) is set "
               "aside.");
    json_array_foreach(json_object_get(status, "services"), i, item) {
        for (size_t k = 0; k < ELEMENTSOF(service_alerts); k++) {
            const char *service = reply_text(item, "name");

            fputs("dispatcherd_alert{service=\"", stream);
            metrics_label(stream, service);
            fprintf(stream, "\",alert=\"%s\"} %d\n", service_alerts[k],
                    is_raised(alerts, service_alerts[k], "service", service));
        }
    }
    json_array_foreach(json_object_get(status, "dns_lists"), i, item) {
        const char *zone = reply_text(item, "zone");

        fputs("dispatcherd_alert{service=\"\",alert=\"dns_list\",zone=\"", stream);
        metrics_label(stream, zone);
        fprintf(stream, "\"} %d\n", is_raised(alerts, "dns_list", "zone", zone));
    }
}

static void write_services(FILE *stream, enum metrics_format format, const json_t *services)
{
    write_accepts(stream, format, services);
    write_families(stream, format, gauges, ELEMENTSOF(gauges), "gauge", services, NULL);
    write_families(stream, format, statistics_gauges, ELEMENTSOF(statistics_gauges), "gauge",
                   services, "statistics");
    for (size_t i = 0; i < ELEMENTSOF(summaries); i++)
        write_summary(stream, format, &summaries[i], services);
    write_families(stream, format, counters, ELEMENTSOF(counters), "counter", services,
                   "statistics");
    write_rejections(stream, format, services);
    write_dropped(stream, format, services);
}

void metrics_write(FILE *stream, enum metrics_format format, const json_t *status,
                   const json_t *services)
{
    write_head(stream, format, "up", "gauge", "1 if dispatcherd answers.");
    fprintf(stream, "dispatcherd_up %d\n", status && services);
    if (status) {
        write_head(stream, format, "start_time_seconds", "gauge",
                   "Start time of this dispatcherd, in seconds since the epoch.");
        fputs("dispatcherd_start_time_seconds ", stream);
        write_usec(stream, reply_number(json_object_get(status, "started_at"), "realtime"));
        write_alerts(stream, format, status);
    }
    if (services)
        write_services(stream, format, json_object_get(services, "services"));
    if (format == METRICS_OPEN)
        fputs("# EOF\n", stream);
}
