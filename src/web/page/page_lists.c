/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The tables of the page: workers and connections, present and ended ones, and throttled sources.
 */
#include "base/macro.h"
#include "base/time.h"
#include "control_client/duration.h"
#include "control_client/reply.h"
#include "web/page/html.h"
#include "web/page/page.h"

#include <inttypes.h>

/* Writes the cell for a member. `now` is that of the reply. */
typedef void cell_function(FILE *stream, const json_t *item, const char *member, uint64_t now);

struct column {
    const char *title;
    const char *class; /* "": for a number */
    cell_function *cell;
    const char *member;
};

/* The columns with the longest texts, which the table scrolls to last. */
#define REASON "text reason"

static void write_text(FILE *stream, const json_t *item, const char *member, _unused_ uint64_t now)
{
    html_text(stream, reply_text(item, member));
}

static void write_number(FILE *stream, const json_t *item, const char *member,
                         _unused_ uint64_t now)
{
    if (reply_is_set(item, member))
        fprintf(stream, "%" PRId64, reply_number(item, member));
    else
        fputs("–", stream);
}

static void write_gauge(FILE *stream, const json_t *item, const char *member, _unused_ uint64_t now)
{
    const json_t *gauge = json_object_get(item, member);

    fprintf(stream, "%" PRId64 "/%" PRId64, reply_number(gauge, "value"),
            reply_number(gauge, "limit"));
}

static void write_span(FILE *stream, const json_t *item, const char *from, const char *to)
{
    uint64_t from_usec = reply_moment(item, from), to_usec = reply_moment(item, to);
    char text[DURATION_TEXT_MAX];

    if (from_usec > 0 && to_usec >= from_usec)
        fputs(duration_format(to_usec - from_usec, text), stream);
    else
        fputs("–", stream);
}

static void write_lasted(FILE *stream, const json_t *item, const char *member,
                         _unused_ uint64_t now)
{
    write_span(stream, item, member, "ended_at");
}

static void write_waited(FILE *stream, const json_t *item, const char *member,
                         _unused_ uint64_t now)
{
    write_span(stream, item, member, "handed_at");
}

static void write_address(FILE *stream, const json_t *item, const char *member,
                          _unused_ uint64_t now)
{
    page_write_address(stream, json_object_get(item, member));
}

static void write_end(FILE *stream, const json_t *item, const char *member, _unused_ uint64_t now)
{
    html_text(stream, reply_text(item, member));
    if (reply_is_set(item, "rejection")) {
        fputs(": ", stream);
        html_text(stream, reply_text(item, "rejection"));
    }
}

static void write_row(FILE *stream, const struct column columns[], size_t n_columns,
                      const json_t *item, uint64_t now)
{
    fputs("<tr>", stream);
    for (size_t i = 0; i < n_columns; i++) {
        const char *class = columns[i].class;

        fprintf(stream, class[0] ? "<td class=\"%s\">" : "<td%s>", class);
        columns[i].cell(stream, item, columns[i].member, now);
        fputs("</td>", stream);
    }
    fputs("</tr>\n", stream);
}

/* Also ends the section. */
static void write_table(FILE *stream, const struct column columns[], size_t n_columns,
                        const json_t *items, const struct page *page)
{
    uint64_t now = reply_moment(page->services, "now");
    const json_t *item;
    size_t i;

    fputs("<div class=\"scroll\"><table><thead><tr>", stream);
    for (i = 0; i < n_columns; i++)
        fprintf(stream, "<th%s>%s</th>", columns[i].class[0] ? " class=\"text\"" : "",
                columns[i].title);
    fputs("</tr></thead><tbody>\n", stream);
    json_array_foreach(items, i, item)
        write_row(stream, columns, n_columns, item, now);
    fputs("</tbody></table></div></section>\n", stream);
}

/* How many rows the following table has, and of how many if it lacks some. */
static void write_shown(FILE *stream, size_t n_shown, int64_t n)
{
    fprintf(stream, "<p class=\"quiet\">%zu", n_shown);
    if (n > (int64_t)n_shown)
        fprintf(stream, " of %" PRId64, n);
    fputs("</p>\n", stream);
}

void page_write_workers(FILE *stream, const struct page *page)
{
    static const struct column columns[] = {
        {"Service", "text", write_text, "service"},
        {"Process", "", write_number, "pid"},
        {"State", "text", write_text, "state"},
        {"Connections", "", write_gauge, "connections"},
        {"Peak", "", write_number, "n_peak"},
        {"Total", "", write_number, "n_total"},
        {"Age", "", page_write_age, "started_at"},
        {"Idle", "", page_write_age, "idle_since"},
        {"Started because", REASON, write_text, "start_reason"},
        {"Retired because", REASON, write_text, "retire_reason"},
    };

    fputs("<section><h2>Workers</h2>\n", stream);
    if (json_array_size(page->workers) == 0)
        fputs("<p class=\"quiet\">None.</p></section>\n", stream);
    else
        write_table(stream, columns, ELEMENTSOF(columns), page->workers, page);
}

static void write_sum(FILE *stream, const json_t *item, _unused_ const char *member,
                      _unused_ uint64_t now)
{
    uint64_t own = (uint64_t)reply_number(item, "own");

    fprintf(stream, "%" PRIu64, own + (uint64_t)reply_number(item, "others"));
}

static void write_window(FILE *stream, const json_t *item, const char *member,
                         _unused_ uint64_t now)
{
    uint64_t sec = (uint64_t)reply_number(item, member);
    char text[DURATION_TEXT_MAX];

    fputs(duration_format(sec < UINT32_MAX ? sec * USEC_PER_SEC : 0, text), stream);
}

static void write_penalty(FILE *stream, const json_t *item, const char *member,
                          _unused_ uint64_t now)
{
    fputs(reply_is_true(item, member) ? "yes" : "no", stream);
}

/* Without a fleet, only if there are any. */
void page_write_throttles(FILE *stream, const struct page *page)
{
    static const struct column columns[] = {
        {"Source", "text", write_text, "source"},
        {"Limit", "", write_number, "max_rate"},
        {"Window", "", write_window, "window_sec"},
        {"This host", "", write_number, "own"},
        {"Other hosts", "", write_number, "others"},
        {"All hosts", "", write_sum, ""},
        {"Learned", "", page_write_age, "others_at"},
        {"Window began", "", page_write_age, "window_at"},
        {"Penalized", "text", write_penalty, "is_penalty"},
    };
    const json_t *rows = json_object_get(page->throttles, "throttles");
    int64_t n = reply_number(page->throttles, "n_throttled");
    bool has_fleet = json_is_object(json_object_get(page->status, "fleet"));

    if (!has_fleet && json_array_size(rows) == 0)
        return;
    if (!page->throttles && page->connections) /* The daemon is an older one. */
        return;
    fputs("<section><h2>Throttled sources</h2>\n", stream);
    if (!page->throttles) {
        fputs("<p class=\"quiet\">Clients are hidden from other users: see "
              "dispatcherd-web(8).</p></section>\n",
              stream);
    } else if (json_array_size(rows) == 0) {
        fputs("<p class=\"quiet\">None.</p></section>\n", stream);
    } else {
        write_shown(stream, json_array_size(rows), n);
        write_table(stream, columns, ELEMENTSOF(columns), rows, page);
    }
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
    static const struct column columns[] = {
        {"Identifier", "text", write_text, "id"},
        {"Service", "text", write_text, "service"},
        {"State", "text", write_text, "state"},
        {"Client", "text", write_address, "client"},
        {"Server", "text", write_address, "local"},
        {"IDENT user", "text", write_text, "ident_user"},
        {"Worker", "", write_number, "worker_pid"},
        {"Age", "", page_write_age, "accepted_at"},
    };
    size_t n_shown = json_array_size(page->connections);
    int64_t n = n_connections(page->services);

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
    write_shown(stream, n_shown, n);
    write_table(stream, columns, ELEMENTSOF(columns), page->connections, page);
}

/* Writes nothing if there are none, for instance with HISTORICAL_TIME=0. */
void page_write_ended_workers(FILE *stream, const struct page *page)
{
    static const struct column columns[] = {
        {"Service", "text", write_text, "service"},
        {"Process", "", write_number, "pid"},
        {"Ended", "", page_write_age, "ended_at"},
        {"Lived", "", write_lasted, "started_at"},
        {"Broken", "", write_number, "n_current"},
        {"Peak", "", write_number, "n_peak"},
        {"Total", "", write_number, "n_total"},
        {"Started because", REASON, write_text, "start_reason"},
        {"Retired because", REASON, write_text, "retire_reason"},
        {"Cause of its end", REASON, write_text, "cause"},
    };

    if (json_array_size(page->ended_workers) == 0)
        return;
    fputs("<section><h2>Workers that have ended</h2>\n", stream);
    write_table(stream, columns, ELEMENTSOF(columns), page->ended_workers, page);
}

void page_write_ended_connections(FILE *stream, const struct page *page)
{
    static const struct column columns[] = {
        {"Identifier", "text", write_text, "id"},
        {"Service", "text", write_text, "service"},
        {"How", "text", write_end, "end"},
        {"Client", "text", write_address, "client"},
        {"Server", "text", write_address, "local"},
        {"IDENT user", "text", write_text, "ident_user"},
        {"Worker", "", write_number, "worker_pid"},
        {"Ended", "", page_write_age, "ended_at"},
        {"Lasted", "", write_lasted, "accepted_at"},
        {"Waited", "", write_waited, "accepted_at"},
    };

    if (json_array_size(page->ended_connections) == 0)
        return;
    fputs("<section><h2>Connections that have ended</h2>\n", stream);
    write_table(stream, columns, ELEMENTSOF(columns), page->ended_connections, page);
}
