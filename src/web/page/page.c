/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "web/page/page.h"

#include "base/str.h"
#include "control_client/duration.h"
#include "control_client/reply.h"
#include "web/page/html.h"

#include <inttypes.h>
#include <string.h>

/* The script replaces <main>. Without scripts, the whole page is loaded again. */
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

/* What holds beside the throttles, if anything does. */
static void write_fleet_settings(FILE *stream, const json_t *fleet)
{
    uint64_t wait_usec = (uint64_t)reply_number(fleet, "wait_limit_usec");
    int64_t n_addresses = reply_number(fleet, "n_addresses");
    char text[DURATION_TEXT_MAX];

    if (wait_usec > 0)
        fprintf(stream,
                " Checks wait for the store for up to %s: %" PRId64 " waited, %" PRId64
                " of them in vain.",
                duration_format(wait_usec, text), reply_number(fleet, "n_waits"),
                reply_number(fleet, "n_waits_in_vain"));
    if (reply_is_true(fleet, "has_addresses"))
        fprintf(stream,
                " MAX_CONNS_PER_ADDRESS holds over the fleet: open connections of %" PRId64
                " %s are known.",
                n_addresses, str_plural((uint64_t)n_addresses, "address", "addresses"));
}

/* Whether limits hold over the fleet now, whose limits they are, and how old what is known is. */
static void write_fleet(FILE *stream, const json_t *status)
{
    const json_t *fleet = json_object_get(status, "fleet");
    uint64_t now = reply_moment(status, "now");

    if (!json_is_object(fleet))
        return;
    fputs("<p>In the fleet this host is <b>", stream);
    html_text(stream, reply_text(fleet, "name"));
    fputs("</b>; the store ", stream);
    html_text(stream, reply_text(fleet, "store"));
    fputs(reply_is_true(fleet, "is_up") ? " has been connected for " : " has been away for ",
          stream);
    page_write_age(stream, fleet, "since", now);
    if (reply_is_true(fleet, "is_up")) {
        fprintf(stream, ", %" PRId64 " counts are to be sent", reply_number(fleet, "n_owed"));
    } else {
        fputs(" (", stream);
        html_text(stream, reply_text(fleet, "reason"));
        fputs("), and limits are those of this host alone", stream);
    }
    if (reply_is_set(fleet, "answered_at")) {
        fputs("; the store's last answer is ", stream);
        page_write_age(stream, fleet, "answered_at", now);
        fputs(" old", stream);
    }
    fputs(".", stream);
    write_fleet_settings(stream, fleet);
    fputs("</p>\n", stream);
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
        write_fleet(stream, page->status);
        json_array_foreach(services, i, service)
            page_write_service(stream, page, service);
        page_write_workers(stream, page);
        page_write_throttles(stream, page);
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
