/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "web/page.h"

#include "control_client/duration.h"
#include "control_client/reply.h"
#include "web/html.h"

#include <inttypes.h>
#include <string.h>

/* The script puts a new <main> in place of the old one. Without it, the page is read again. */
static const char head[] =
    "<!DOCTYPE html>\n"
    "<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<meta name=\"color-scheme\" content=\"light dark\">\n"
    "<noscript><meta http-equiv=\"refresh\" content=\"10\"></noscript>\n"
    "<title>dispatcherd</title>\n"
    "<link rel=\"icon\" href=\"data:,\">\n"
    "<link rel=\"stylesheet\" href=\"/style.css\">\n"
    "<script src=\"/live.js\" defer></script>\n"
    "</head><body>\n";

void page_write_age(FILE *stream, const json_t *object, const char *member, uint64_t now_usec)
{
    uint64_t at = reply_moment(object, member);
    char text[DURATION_TEXT_MAX];

    if (at == 0)
        fputs("–", stream);
    else
        fputs(duration_format(at < now_usec ? now_usec - at : 0, text), stream);
}

void page_write_address(FILE *stream, const json_t *object)
{
    const char *address = reply_text(object, "address");
    bool is_ipv6 = strchr(address, ':') != NULL;
    int64_t port = reply_number(object, "port");

    fputs(is_ipv6 ? "[" : "", stream);
    html_text(stream, address);
    fputs(is_ipv6 ? "]" : "", stream);
    if (port > 0)
        fprintf(stream, ":%" PRId64, port);
}

/* Amber from four fifths of the limit on, red at it: as dispatcherctl does. */
static const char *gauge_class(int64_t value, int64_t limit)
{
    if (limit <= 0 || value * 5 < limit * 4)
        return "";
    return value < limit ? " near" : " at";
}

void page_write_gauge(FILE *stream, const char *title, const json_t *gauge, bool is_bad_at_limit)
{
    int64_t value = reply_number(gauge, "value"), limit = reply_number(gauge, "limit");
    double part = limit > 0 ? (double)value / (double)limit : 0;

    fprintf(stream,
            "<div class=\"gauge%s\"><span>%s</span> <b>%" PRId64 "<i>/%" PRId64 "</i></b>"
            "<svg class=\"bar\" viewBox=\"0 0 100 1\" preserveAspectRatio=\"none\" "
            "aria-hidden=\"true\"><rect width=\"%.1f\" height=\"1\"/></svg></div>\n",
            is_bad_at_limit && value > 0 ? gauge_class(value, limit) : "", title, value, limit,
            part > 1 ? 100.0 : part * 100);
}

static void write_header(FILE *stream, const struct page *page)
{
    const json_t *status = page->status;

    fputs("<header><h1>dispatcherd</h1><p>", stream);
    fputs("version ", stream);
    html_text(stream, reply_text(status, "version"));
    fputs(", <b>", stream);
    html_text(stream, reply_text(status, "state"));
    fputs("</b>, started ", stream);
    page_write_age(stream, status, "started_at", reply_moment(status, "now"));
    fprintf(stream, " ago, process %" PRId64 "</p></header>\n", reply_number(status, "pid"));
    if (reply_is_true(status, "is_on_last_config")) {
        fputs("<p class=\"alert\">", stream);
        html_text(stream, reply_text(status, "config_file"));
        fputs(" is broken; the last good configuration is in force.</p>\n", stream);
    }
}

static void write_alerts(FILE *stream, const json_t *status)
{
    const json_t *alerts = json_object_get(status, "alerts"), *alert;
    size_t i;

    if (json_array_size(alerts) == 0)
        return;
    fputs("<section class=\"alerts\" role=\"alert\"><h2>Alerts</h2>\n", stream);
    json_array_foreach(alerts, i, alert) {
        fputs("<p class=\"alert\">", stream);
        html_text(stream, reply_text(alert, "text"));
        fputs(" <span class=\"quiet\">for ", stream);
        page_write_age(stream, alert, "since", reply_moment(status, "now"));
        fputs("</span></p>\n", stream);
    }
    fputs("</section>\n", stream);
}

static void write_failure(FILE *stream, const struct page *page)
{
    fputs("<header><h1>dispatcherd</h1></header>\n"
          "<p class=\"alert\">No figures: dispatcherd does not answer",
          stream);
    if (page->error) {
        fputs(" (", stream);
        html_text(stream, page->error);
        fputs(")", stream);
    }
    fputs(".</p>\n", stream);
}

void page_write(FILE *stream, const struct page *page)
{
    const json_t *services = json_object_get(page->services, "services");
    const json_t *service;
    size_t i;

    fputs(head, stream);
    fputs("<main>\n", stream);
    if (page->status && page->services) {
        write_header(stream, page);
        write_alerts(stream, page->status);
        json_array_foreach(services, i, service)
            page_write_service(stream, page, service);
        page_write_workers(stream, page);
        page_write_connections(stream, page);
        page_write_ended_workers(stream, page);
        page_write_ended_connections(stream, page);
    } else {
        write_failure(stream, page);
    }
    fputs("</main>\n<footer>Read-only. <a href=\"/metrics\">Metrics</a>. Names and figures: "
          "dispatcherctl(1), dispatcherd-web(8).</footer>\n</body></html>\n",
          stream);
}
