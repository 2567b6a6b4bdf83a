/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The page's tables: workers and connections, those that are there and those that are over. */
#include "control_client/duration.h"
#include "control_client/reply.h"
#include "web/html.h"
#include "web/page.h"

#include <inttypes.h>

static void write_text_cell(FILE *stream, const json_t *object, const char *member)
{
    fputs("<td class=\"text\">", stream);
    html_text(stream, reply_text(object, member));
    fputs("</td>", stream);
}

/* The longest texts of a table, which is scrolled last of all. */
static void write_reason_cell(FILE *stream, const json_t *object, const char *member)
{
    fputs("<td class=\"text reason\">", stream);
    html_text(stream, reply_text(object, member));
    fputs("</td>", stream);
}

static void write_number_cell(FILE *stream, const json_t *object, const char *member)
{
    if (reply_is_set(object, member))
        fprintf(stream, "<td>%" PRId64 "</td>", reply_number(object, member));
    else
        fputs("<td>–</td>", stream);
}

static void write_age_cell(FILE *stream, const json_t *object, const char *member, uint64_t now)
{
    fputs("<td>", stream);
    page_write_age(stream, object, member, now);
    fputs("</td>", stream);
}

static void write_span_cell(FILE *stream, const json_t *object, const char *from, const char *to)
{
    uint64_t from_usec = reply_moment(object, from), to_usec = reply_moment(object, to);
    char text[DURATION_TEXT_MAX];

    if (from_usec > 0 && to_usec >= from_usec)
        fprintf(stream, "<td>%s</td>", duration_format(to_usec - from_usec, text));
    else
        fputs("<td>–</td>", stream);
}

static void write_worker(FILE *stream, const json_t *worker, uint64_t now)
{
    const json_t *connections = json_object_get(worker, "connections");

    fputs("<tr>", stream);
    write_text_cell(stream, worker, "service");
    write_number_cell(stream, worker, "pid");
    write_text_cell(stream, worker, "state");
    fprintf(stream, "<td>%" PRId64 "/%" PRId64 "</td>", reply_number(connections, "value"),
            reply_number(connections, "limit"));
    write_number_cell(stream, worker, "n_peak");
    write_number_cell(stream, worker, "n_total");
    write_age_cell(stream, worker, "started_at", now);
    write_age_cell(stream, worker, "idle_since", now);
    write_reason_cell(stream, worker, "start_reason");
    write_reason_cell(stream, worker, "retire_reason");
    fputs("</tr>\n", stream);
}

void page_write_workers(FILE *stream, const struct page *page)
{
    const json_t *worker;
    size_t i;

    fputs("<section><h2>Workers</h2>\n", stream);
    if (json_array_size(page->workers) == 0) {
        fputs("<p class=\"quiet\">None.</p></section>\n", stream);
        return;
    }
    fputs("<div class=\"scroll\"><table><thead><tr><th class=\"text\">Service</th><th>Process</th>"
          "<th class=\"text\">State</th><th>Connections</th><th>Peak</th><th>Total</th>"
          "<th>Age</th><th>Idle</th><th class=\"text\">Started because</th>"
          "<th class=\"text\">Retired because</th></tr></thead><tbody>\n",
          stream);
    json_array_foreach(page->workers, i, worker)
        write_worker(stream, worker, reply_moment(page->services, "now"));
    fputs("</tbody></table></div></section>\n", stream);
}

static void write_address_cell(FILE *stream, const json_t *object, const char *member)
{
    fputs("<td class=\"text\">", stream);
    page_write_address(stream, json_object_get(object, member));
    fputs("</td>", stream);
}

static void write_connection(FILE *stream, const json_t *connection, uint64_t now)
{
    fputs("<tr>", stream);
    write_text_cell(stream, connection, "id");
    write_text_cell(stream, connection, "service");
    write_text_cell(stream, connection, "state");
    write_address_cell(stream, connection, "client");
    write_address_cell(stream, connection, "local");
    write_text_cell(stream, connection, "ident_user");
    write_number_cell(stream, connection, "worker_pid");
    write_age_cell(stream, connection, "accepted_at", now);
    fputs("</tr>\n", stream);
}

static int64_t n_connections(const json_t *services)
{
    static const char *const gauges[] = {"active", "handoffs", "waiting", "checking"};
    const json_t *service;
    int64_t n = 0;
    size_t i;

    json_array_foreach(json_object_get(services, "services"), i, service)
        for (size_t k = 0; k < sizeof(gauges) / sizeof(gauges[0]); k++)
            n += reply_number(json_object_get(service, gauges[k]), "value");
    return n;
}

void page_write_connections(FILE *stream, const struct page *page)
{
    size_t n_shown = json_array_size(page->connections);
    int64_t n = n_connections(page->services);
    const json_t *connection;
    size_t i;

    fputs("<section><h2>Connections</h2>\n", stream);
    if (!page->connections) {
        fprintf(stream,
                "<p class=\"quiet\">%" PRId64 ". Clients are hidden from other users: see "
                "dispatcherd-web(8).</p></section>\n",
                n);
        return;
    }
    if (n_shown == 0) {
        fputs("<p class=\"quiet\">None.</p></section>\n", stream);
        return;
    }
    fprintf(stream, "<p class=\"quiet\">%zu", n_shown);
    if (n > (int64_t)n_shown)
        fprintf(stream, " of %" PRId64, n);
    fputs("</p>\n", stream);
    fputs("<div class=\"scroll\"><table><thead><tr><th class=\"text\">Identifier</th>"
          "<th class=\"text\">Service</th><th class=\"text\">State</th>"
          "<th class=\"text\">Client</th><th class=\"text\">Server</th>"
          "<th class=\"text\">IDENT user</th><th>Worker</th><th>Age</th></tr></thead><tbody>\n",
          stream);
    json_array_foreach(page->connections, i, connection)
        write_connection(stream, connection, reply_moment(page->services, "now"));
    fputs("</tbody></table></div></section>\n", stream);
}

static void write_ended_worker(FILE *stream, const json_t *worker, uint64_t now)
{
    fputs("<tr>", stream);
    write_text_cell(stream, worker, "service");
    write_number_cell(stream, worker, "pid");
    write_age_cell(stream, worker, "ended_at", now);
    write_span_cell(stream, worker, "started_at", "ended_at");
    write_number_cell(stream, worker, "n_current");
    write_number_cell(stream, worker, "n_peak");
    write_number_cell(stream, worker, "n_total");
    write_reason_cell(stream, worker, "start_reason");
    write_reason_cell(stream, worker, "retire_reason");
    write_reason_cell(stream, worker, "cause");
    fputs("</tr>\n", stream);
}

/* Nothing if there are none, as when HISTORICAL_TIME is 0. */
void page_write_ended_workers(FILE *stream, const struct page *page)
{
    const json_t *worker;
    size_t i;

    if (json_array_size(page->ended_workers) == 0)
        return;
    fputs("<section><h2>Workers that have ended</h2>\n"
          "<div class=\"scroll\"><table><thead><tr><th class=\"text\">Service</th><th>Process</th>"
          "<th>Ended</th><th>Lived</th><th>Broken</th><th>Peak</th><th>Total</th>"
          "<th class=\"text\">Started because</th><th class=\"text\">Retired because</th>"
          "<th class=\"text\">Cause of its end</th></tr></thead><tbody>\n",
          stream);
    json_array_foreach(page->ended_workers, i, worker)
        write_ended_worker(stream, worker, reply_moment(page->services, "now"));
    fputs("</tbody></table></div></section>\n", stream);
}

static void write_ended_connection(FILE *stream, const json_t *connection, uint64_t now)
{
    fputs("<tr>", stream);
    write_text_cell(stream, connection, "id");
    write_text_cell(stream, connection, "service");
    fputs("<td class=\"text\">", stream);
    html_text(stream, reply_text(connection, "end"));
    if (reply_is_set(connection, "rejection")) {
        fputs(": ", stream);
        html_text(stream, reply_text(connection, "rejection"));
    }
    fputs("</td>", stream);
    write_address_cell(stream, connection, "client");
    write_address_cell(stream, connection, "local");
    write_text_cell(stream, connection, "ident_user");
    write_number_cell(stream, connection, "worker_pid");
    write_age_cell(stream, connection, "ended_at", now);
    write_span_cell(stream, connection, "accepted_at", "ended_at");
    write_span_cell(stream, connection, "accepted_at", "handed_at");
    fputs("</tr>\n", stream);
}

void page_write_ended_connections(FILE *stream, const struct page *page)
{
    const json_t *connection;
    size_t i;

    if (json_array_size(page->ended_connections) == 0)
        return;
    fputs("<section><h2>Connections that have ended</h2>\n"
          "<div class=\"scroll\"><table><thead><tr><th class=\"text\">Identifier</th>"
          "<th class=\"text\">Service</th><th class=\"text\">How</th>"
          "<th class=\"text\">Client</th><th class=\"text\">Server</th>"
          "<th class=\"text\">IDENT user</th><th>Worker</th><th>Ended</th><th>Lasted</th>"
          "<th>Waited</th></tr></thead><tbody>\n",
          stream);
    json_array_foreach(page->ended_connections, i, connection)
        write_ended_connection(stream, connection, reply_moment(page->services, "now"));
    fputs("</tbody></table></div></section>\n", stream);
}
