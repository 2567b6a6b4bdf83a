/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* One service on the page: gauges, curves, statistics. */
#include "base/macro.h"
#include "control_client/duration.h"
#include "control_client/reply.h"
#include "web/page/html.h"
#include "web/page/page.h"
#include "web/page/plot.h"

#include <inttypes.h>
#include <string.h>

static void write_gauges(FILE *stream, const json_t *service)
{
    static const struct {
        const char *member;
        const char *title;
        bool is_bad_at_limit; /* MAX_PROCS workers are no problem */
    } gauges[] = {{"workers", "Workers", false},   {"active", "Active", true},
                  {"handoffs", "Hand-offs", true}, {"waiting", "Waiting", true},
                  {"checking", "Checking", true},  {"queue", "Kernel queue", true}};

    fputs("<div class=\"gauges\">\n", stream);
    for (size_t i = 0; i < ELEMENTSOF(gauges); i++)
        page_write_gauge(stream, gauges[i].title, json_object_get(service, gauges[i].member),
                         gauges[i].is_bad_at_limit);
    fputs("</div>\n", stream);
}

static void write_plots(FILE *stream, const struct page *page, const json_t *service)
{
    static const struct {
        const char *title;
        enum sample_figure figure;
        bool is_rate;
    } plots[] = {{"Concurrent connections", SAMPLE_ACTIVE, false},
                 {"Accepted", SAMPLE_ACCEPTED_PER_SEC, true},
                 {"Waiting, including the kernel's queue", SAMPLE_WAITING, false},
                 {"Rejected", SAMPLE_REJECTED_PER_SEC, true}};
    const struct sample_ring *ring = samples_find(page->samples, reply_text(service, "name"));
    struct sample_point points[SAMPLES_MAX];
    uint64_t now = page->now_usec;

    fputs("<div class=\"plots\">\n", stream);
    for (size_t i = 0; i < ELEMENTSOF(plots); i++) {
        /* A host that was started less than an hour ago has no earlier time. */
        uint64_t from = now > SAMPLES_SPAN_USEC ? now - SAMPLES_SPAN_USEC : 0;
        struct plot plot = {
            .title = plots[i].title,
            .points = points,
            .n_points = ring ? sample_points(ring, plots[i].figure, from, points) : 0,
            .from_usec = from,
            .to_usec = now,
            .is_rate = plots[i].is_rate,
        };

        if (plots[i].figure == SAMPLE_ACTIVE)
            plot.limit = (double)reply_number(json_object_get(service, "active"), "limit");
        plot_write(stream, &plot);
    }
    fputs("</div>\n", stream);
}

/* Statistics */

static void write_number(FILE *stream, const char *title, int64_t n)
{
    fprintf(stream, "<div><dt>%s</dt><dd>%" PRId64 "</dd></div>\n", title, n);
}

static void write_reasons(FILE *stream, const char *title, json_t *counts)
{
    const char *reason;
    json_t *n;

    json_object_foreach(counts, reason, n) {
        if (json_integer_value(n) == 0)
            continue;
        fprintf(stream, "<div><dt>%s: ", title);
        html_text(stream, reason);
        fprintf(stream, "</dt><dd>%" PRId64 "</dd></div>\n", (int64_t)json_integer_value(n));
    }
}

static void write_counters(FILE *stream, const json_t *statistics)
{
    static const struct {
        const char *member;
        const char *title;
    } counters[] = {{"n_accepted", "Accepted"},
                    {"n_admitted", "Admitted"},
                    {"n_rejected", "Rejected"},
                    {"n_ended", "Ended"},
                    {"n_failed_sessions", "Failed sessions"},
                    {"n_sent_away", "Sent away"},
                    {"n_broken", "Broken"},
                    {"n_gone", "Gone"},
                    {"n_unserved", "Unserved"},
                    {"n_times_full", "Times full"},
                    {"n_tls", "TLS sessions"},
                    {"n_tls_failed", "Failed TLS"},
                    {"n_failed_starts", "Failed starts"},
                    {"n_failed_handoffs", "Failed hand-offs"}};

    for (size_t i = 0; i < ELEMENTSOF(counters); i++) {
        write_number(stream, counters[i].title, reply_number(statistics, counters[i].member));
        if (strcmp(counters[i].member, "n_rejected") == 0)
            write_reasons(stream, "Rejected", json_object_get(statistics, "rejected"));
        if (strcmp(counters[i].member, "n_tls_failed") == 0)
            write_reasons(stream, "Failed TLS", json_object_get(statistics, "tls_failed"));
    }
}

static void write_extremes(FILE *stream, const char *title, const json_t *object)
{
    double average = json_number_value(json_object_get(object, "average"));

    fprintf(stream,
            "<tr><th scope=\"row\">%s</th><td>%" PRId64 "</td><td>%.1f</td>"
            "<td>%" PRId64 "</td></tr>\n",
            title, reply_number(object, "min"), average, reply_number(object, "max"));
}

static void write_span(FILE *stream, const char *title, const json_t *span)
{
    static const char *const members[] = {"min_usec", "average_usec", "max_usec"};
    bool is_known = reply_number(span, "n") > 0;
    char text[DURATION_TEXT_MAX];

    fprintf(stream, "<tr><th scope=\"row\">%s</th>", title);
    for (size_t i = 0; i < ELEMENTSOF(members); i++) {
        int64_t usec = reply_number(span, members[i]);

        fprintf(stream, "<td>%s</td>",
                is_known ? duration_format(usec > 0 ? (uint64_t)usec : 0, text) : "–");
    }
    fputs("</tr>\n", stream);
}

/* Before the first hour is over there is no minimum, only the present count. */
static void write_hourly(FILE *stream, const json_t *hourly)
{
    if (reply_number(hourly, "n_completed") > 0)
        write_extremes(stream, "Connections an hour", hourly);
    else
        fprintf(stream,
                "<tr><th scope=\"row\">Connections an hour</th><td>–</td>"
                "<td>%" PRId64 " so far</td><td>–</td></tr>\n",
                reply_number(hourly, "running"));
}

static void write_statistics(FILE *stream, const struct page *page, const json_t *service)
{
    const json_t *statistics = json_object_get(service, "statistics");

    fputs("<details open><summary>Statistics of the last ", stream);
    page_write_age(stream, statistics, "since", reply_moment(page->services, "now"));
    fputs("</summary><dl>\n", stream);
    write_counters(stream, statistics);
    fputs("</dl>\n<table class=\"extremes\"><thead><tr><td></td><th>Minimum</th><th>Average</th>"
          "<th>Maximum</th></tr></thead><tbody>\n",
          stream);
    write_extremes(stream, "Concurrent", json_object_get(statistics, "concurrent"));
    write_hourly(stream, json_object_get(statistics, "hourly"));
    write_span(stream, "Duration", json_object_get(statistics, "duration"));
    write_span(stream, "Wait for a worker", json_object_get(statistics, "wait"));
    write_span(stream, "Kernel queue", json_object_get(statistics, "backlog"));
    fputs("</tbody></table></details>\n", stream);
}

static void write_listeners(FILE *stream, const json_t *service)
{
    const json_t *listener;
    size_t i;

    fputs("<p class=\"quiet\">", stream);
    if (json_array_size(json_object_get(service, "listeners")) == 0)
        fputs("no socket", stream);
    json_array_foreach(json_object_get(service, "listeners"), i, listener) {
        fputs(i > 0 ? ", " : "", stream);
        page_write_address(stream, listener);
        fputs(reply_is_true(listener, "is_tls") ? " TLS" : "", stream);
        if (reply_number(listener, "n_dropped") > 0)
            fprintf(stream, " (%" PRId64 " dropped)", reply_number(listener, "n_dropped"));
    }
    fputs("</p>\n", stream);
}

static int64_t n_clients_that_wait(const json_t *service)
{
    return reply_number(json_object_get(service, "waiting"), "value") +
           reply_number(json_object_get(service, "checking"), "value") +
           reply_number(json_object_get(service, "queue"), "value");
}

/* What needs attention, one line for each. */
static void write_alerts(FILE *stream, const struct page *page, const json_t *service)
{
    if (reply_is_set(service, "full_since")) {
        fputs("<p class=\"alert\">Every place has been taken for ", stream);
        page_write_age(stream, service, "full_since", reply_moment(page->services, "now"));
        fputs(".</p>\n", stream);
    }
    if (n_clients_that_wait(service) > 0 && *reply_text(service, "waits_for")) {
        fputs("<p class=\"alert\">Clients wait: ", stream);
        html_text(stream, reply_text(service, "waits_for"));
        if (reply_is_set(service, "queue_since")) {
            fputs("; the kernel's queue has not been empty for ", stream);
            page_write_age(stream, service, "queue_since", reply_moment(page->services, "now"));
        }
        fputs(".</p>\n", stream);
    }
    if (reply_is_set(service, "start_error")) {
        fputs("<p class=\"alert\">No worker can be started: ", stream);
        html_text(stream, reply_text(service, "start_error"));
        fputs("</p>\n", stream);
    }
}

static const char *state_class(const json_t *service)
{
    const char *state = reply_text(service, "state");

    if (strcmp(state, "full") == 0 || reply_is_set(service, "start_error"))
        return "at";
    return strcmp(state, "running") == 0 ? "good" : "near";
}

void page_write_service(FILE *stream, const struct page *page, const json_t *service)
{
    const char *state = reply_text(service, "state");

    fputs("<section><h2>", stream);
    html_text(stream, reply_text(service, "name"));
    fprintf(stream, " <span class=\"state %s\">", state_class(service));
    html_text(stream, state);
    fputs("</span></h2>\n", stream);
    write_listeners(stream, service);
    write_alerts(stream, page, service);
    write_gauges(stream, service);
    write_plots(stream, page, service);
    write_statistics(stream, page, service);
    fputs("</section>\n", stream);
}
