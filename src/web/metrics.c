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

/* Where to find a figure: in the member `name`, and in its `part` if that is an object. */
struct metric {
    const char *name; /* of the metric, without "dispatcherd_" and "_total" */
    const char *member;
    const char *part;
    bool is_usec; /* written in seconds */
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

/* Spans of time: how many, and their sum. There are no quantiles, since they are not counted. */
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
    {"failed_sessions", "n_failed_sessions", NULL, false,
     "Connections served to their end whose worker reported a failure."},
    {"sent_away_connections", "n_sent_away", NULL, false,
     "Connections that workers closed because the server behind them was full or down."},
    {"broken_connections", "n_broken", NULL, false, "Connections whose worker died."},
    {"gone_connections", "n_gone", NULL, false,
     "Connections that the client closed before a worker received them."},
    {"unserved_connections", "n_unserved", NULL, false,
     "Connections closed because no worker could be started while the service was stopping."},
    {"failed_worker_starts", "n_failed_starts", NULL, false, "Workers that could not be started."},
    {"failed_handoffs", "n_failed_handoffs", NULL, false,
     "Hand-offs that failed; the connection went to another worker."},
    {"times_full", "n_times_full", NULL, false, "How often all places were taken."},
    {"tls_sessions", "n_tls", NULL, false, "Sessions of TLS that workers report."},
};

static const struct metric by_reason[] = {
    {"rejected_connections", "rejected", NULL, false,
     "Connections that access control rejected, by reason."},
    {"tls_failures", "tls_failed", NULL, false, "Handshakes of TLS that failed, by reason."},
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

/* The name of a counter's family has "_total" in one format, and not in the other. */
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

/* `member` of a service's statistics is an object with a count for each reason. */
static void write_reasons(FILE *stream, enum metrics_format format, const json_t *services,
                          const struct metric *metric)
{
    const json_t *service;
    size_t i;

    write_head(stream, format, metric->name, "counter", metric->help);
    json_array_foreach(services, i, service) {
        json_t *counts = json_object_get(json_object_get(service, "statistics"), metric->member);
        const char *reason;
        json_t *n;

        json_object_foreach(counts, reason, n) {
            fprintf(stream, "dispatcherd_%s_total{service=\"", metric->name);
            metrics_label(stream, reply_text(service, "name"));
            fputs("\",reason=\"", stream);
            metrics_label(stream, reason);
            fprintf(stream, "\"} %" PRId64 "\n", (int64_t)json_integer_value(n));
        }
    }
}

/* Services without a certificate are left out. */
static void write_certificates(FILE *stream, enum metrics_format format, const json_t *services)
{
    const json_t *service;
    size_t i;

    write_head(stream, format, "certificate_expiry_time_seconds", "gauge",
               "When the service's certificate expires, in seconds since the epoch.");
    json_array_foreach(services, i, service) {
        const json_t *certificate = json_object_get(service, "certificate");

        if (!json_is_integer(json_object_get(certificate, "expires_at")))
            continue;
        fputs("dispatcherd_certificate_expiry_time_seconds{service=\"", stream);
        metrics_label(stream, reply_text(service, "name"));
        fprintf(stream, "\"} %" PRId64 "\n", reply_number(certificate, "expires_at"));
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

/* Counted since the sockets were made: it begins again with new ones, as a counter may. */
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

/* "dns_list" is not of a service. */
static const char *const service_alerts[] = {"full",     "waiting", "dying",      "unreachable",
                                             "refusing", "backend", "certificate"};

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
               "its workers, cannot be reached, rejects every client, lacks a back end, or has a "
               "bad certificate; or a DNS list (zone) is set aside; or the fleet's store is away.");
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
    if (json_is_object(json_object_get(status, "fleet")))
        fprintf(stream, "dispatcherd_alert{service=\"\",alert=\"fleet\"} %d\n",
                is_raised(alerts, "fleet", "service", ""));
}

/* Counters have another name in their head than in their lines, in the open format. */
static const struct {
    const char *name, *member, *help;
} fleet_counters[] = {
    {"fleet_answers", "n_answers", "Answers of the fleet's store."},
    {"fleet_late", "n_late",
     "Answers and connections that the fleet's store did not give in time."},
    {"fleet_failures", "n_failures", "Connections to the fleet's store that failed or were ended."},
    {"fleet_left_out", "n_left_out", "Counts not sent to the fleet's store for being too many."},
    {"fleet_waits", "n_waits",
     "Connections whose check waited for the fleet's store (FLEET_WAIT)."},
    {"fleet_waits_in_vain", "n_waits_in_vain",
     "Of these, connections that were decided without its answer."},
};

static void write_fleet(FILE *stream, enum metrics_format format, const json_t *fleet)
{
    if (!json_is_object(fleet))
        return;
    write_head(stream, format, "fleet_up", "gauge", "1 if the fleet's store is connected.");
    fprintf(stream, "dispatcherd_fleet_up %d\n", reply_is_true(fleet, "is_up"));
    for (size_t i = 0; i < ELEMENTSOF(fleet_counters); i++) {
        write_head(stream, format, fleet_counters[i].name, "counter", fleet_counters[i].help);
        fprintf(stream, "dispatcherd_%s_total %" PRId64 "\n", fleet_counters[i].name,
                reply_number(fleet, fleet_counters[i].member));
    }
    write_head(stream, format, "fleet_addresses", "gauge",
               "Addresses whose open connections are known (FLEET_ADDRESSES).");
    fprintf(stream, "dispatcherd_fleet_addresses %" PRId64 "\n",
            reply_number(fleet, "n_addresses"));
    write_head(stream, format, "fleet_down_seconds", "counter",
               "How long the fleet's store was away.");
    fputs("dispatcherd_fleet_down_seconds_total ", stream);
    write_usec(stream, reply_number(fleet, "down_usec"));
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
    for (size_t i = 0; i < ELEMENTSOF(by_reason); i++)
        write_reasons(stream, format, services, &by_reason[i]);
    write_certificates(stream, format, services);
    write_dropped(stream, format, services);
}

/* The name ends as those of other programs do, by which their versions are found. */
static void write_version(FILE *stream, enum metrics_format format, const json_t *status)
{
    write_head(stream, format, "build_info", "gauge",
               "1; the version of this dispatcherd is its label.");
    fputs("dispatcherd_build_info{version=\"", stream);
    metrics_label(stream, reply_text(status, "version"));
    fputs("\"} 1\n", stream);
}

/* As the one above: a hash is a label, since it has more digits than a number here keeps. */
static void write_config(FILE *stream, enum metrics_format format, const json_t *status)
{
    if (!reply_is_set(status, "config_hash"))
        return;
    write_head(stream, format, "config_info", "gauge",
               "1; its labels are equal on hosts with equal options, and equal mapping files.");
    fputs("dispatcherd_config_info{options=\"", stream);
    metrics_label(stream, reply_text(status, "config_hash"));
    fputs("\",mappings=\"", stream);
    metrics_label(stream, reply_text(status, "mapping_hash"));
    fputs("\"} 1\n", stream);
}

void metrics_write(FILE *stream, enum metrics_format format, const json_t *status,
                   const json_t *services)
{
    write_head(stream, format, "up", "gauge", "1 if dispatcherd answers.");
    fprintf(stream, "dispatcherd_up %d\n", status && services);
    if (status) {
        write_version(stream, format, status);
        write_config(stream, format, status);
        write_head(stream, format, "start_time_seconds", "gauge",
                   "Start time of this dispatcherd, in seconds since the epoch.");
        fputs("dispatcherd_start_time_seconds ", stream);
        write_usec(stream, reply_number(json_object_get(status, "started_at"), "realtime"));
        write_alerts(stream, format, status);
        write_fleet(stream, format, json_object_get(status, "fleet"));
    }
    if (services)
        write_services(stream, format, json_object_get(services, "services"));
    if (format == METRICS_OPEN)
        fputs("# EOF\n", stream);
}
