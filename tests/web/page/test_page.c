/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/suite.h"
#include "web/page/page.h"
#include "web/written.h"

#include <stdlib.h>
#include <string.h>

#define HOSTILE "</td><script>alert(\"1\")</script>'"

static struct samples samples;

static char *written(const struct page *page)
{
    FILE *stream = written_begin();

    page_write(stream, page);
    return written_end();
}

/* Every text of an object is hostile. */
static json_t *hostile_object(const char *const members[], size_t n)
{
    json_t *object = json_object();

    for (size_t i = 0; i < n; i++)
        json_object_set_new(object, members[i], json_string(HOSTILE));
    return object;
}

START_TEST(test_every_text_is_escaped)
{
    static const char *const members[] = {
        "version", "state",        "config_file",   "name",    "waits_for", "start_error",
        "service", "start_reason", "retire_reason", "address", "id",        "ident_user",
        "text",    "end",          "rejection",     "cause",   "source"};
    json_auto_t *object = hostile_object(members, sizeof(members) / sizeof(members[0]));
    json_auto_t *end = json_deep_copy(object);
    json_auto_t *list = json_pack("[O]", object);
    json_auto_t *services = json_pack("{s:O}", "services", list);
    json_auto_t *listeners = json_pack("[O]", end);
    json_auto_t *throttles = json_pack("{s:O}", "throttles", list);
    json_auto_t *rejected = json_pack("{s:{s:i}}", "rejected", HOSTILE, 3);

    json_object_set(object, "alerts", listeners);
    json_object_set(object, "client", end);
    json_object_set(object, "local", end);
    json_object_set(object, "listeners", listeners);
    json_object_set(object, "statistics", rejected);
    json_object_set(object, "fleet", end);
    json_object_set_new(object, "is_on_last_config", json_true());
    char *text = written(&(struct page){.status = object,
                                        .services = services,
                                        .workers = list,
                                        .connections = list,
                                        .ended_workers = list,
                                        .ended_connections = list,
                                        .throttles = throttles,
                                        .samples = &samples,
                                        .now_usec = 5000000});
    ck_assert_ptr_null(strstr(text, "<script>"));
    ck_assert_ptr_null(strstr(text, "alert(\""));
    ck_assert_ptr_nonnull(strstr(text, "&lt;/td&gt;&lt;script&gt;alert(&quot;1&quot;)"));
    free(text);
}
END_TEST

START_TEST(test_tells_whether_the_store_of_the_fleet_is_there)
{
    json_auto_t *status =
        json_pack("{s:{s:s, s:s, s:b, s:i, s:s, s:{s:i}}, s:{s:i}}", "fleet", "name", "a<b",
                  "store", "unix:/store", "is_up", 1, "n_owed", 7, "reason", "it is <gone>",
                  "since", "monotonic", 2000000, "now", "monotonic", 5000000);
    json_auto_t *services = json_pack("{s:[]}", "services");
    const struct page page = {.status = status, .services = services, .samples = &samples};
    char *text = written(&page);

    ck_assert_ptr_nonnull(strstr(text, "In the fleet this host is <b>a&lt;b</b>; the store "
                                       "unix:/store has been connected for 3s, 7 counts are to be "
                                       "sent.</p>"));
    free(text);
    json_object_set_new(json_object_get(status, "fleet"), "is_up", json_false());
    text = written(&page);
    ck_assert_ptr_nonnull(strstr(text, " has been away for 3s (it is &lt;gone&gt;), and limits are "
                                       "those of this host alone.</p>"));
    free(text);
    json_object_del(status, "fleet");
    text = written(&page);
    ck_assert_ptr_null(strstr(text, "fleet"));
    free(text);
}
END_TEST

START_TEST(test_tells_how_old_it_is_and_what_else_holds_over_the_fleet)
{
    json_auto_t *status = json_pack(
        "{s:{s:b, s:{s:i}, s:i, s:i, s:i, s:b, s:i}, s:{s:i}}", "fleet", "is_up", 1, "answered_at",
        "monotonic", 4993000, "wait_limit_usec", 200000, "n_waits", 12, "n_waits_in_vain", 3,
        "has_addresses", 1, "n_addresses", 34, "now", "monotonic", 5000000);
    json_auto_t *services = json_pack("{s:[]}", "services");
    const struct page page = {.status = status, .services = services, .samples = &samples};
    char *text = written(&page);

    ck_assert_ptr_nonnull(strstr(
        text, "; the store's last answer is 7ms old. Checks wait for the store for up to 200ms: 12 "
              "waited, 3 of them in vain. MAX_CONNS_PER_ADDRESS holds over the fleet: open "
              "connections of 34 addresses are known.</p>"));
    free(text);
}
END_TEST

static json_t *a_throttle(void)
{
    return json_pack("{s:s, s:i, s:i, s:b, s:i, s:i, s:{s:i}, s:{s:i}}", "source", "<192.0.2.1>",
                     "max_rate", 10, "window_sec", 3600, "is_penalty", 1, "own", 4, "others", 7,
                     "others_at", "monotonic", 4990000, "window_at", "monotonic", 2000000);
}

START_TEST(test_throttled_sources_have_the_counts_of_all_hosts)
{
    json_auto_t *status = json_object();
    json_auto_t *services = json_pack("{s:[], s:{s:i}}", "services", "now", "monotonic", 5000000);
    json_auto_t *throttles = json_pack("{s:i, s:[o]}", "n_throttled", 7, "throttles", a_throttle());
    const struct page page = {
        .status = status, .services = services, .throttles = throttles, .samples = &samples};
    char *text = written(&page);

    ck_assert_ptr_nonnull(
        strstr(text, "<h2>Throttled sources</h2>\n<p class=\"quiet\">1 of 7</p>"));
    ck_assert_ptr_nonnull(strstr(
        text, "<tr><td class=\"text\">&lt;192.0.2.1&gt;</td><td>10</td><td>1h</td><td>4</td>"
              "<td>7</td><td>11</td><td>10ms</td><td>3s</td><td class=\"text\">yes</td></tr>"));
    free(text);
}
END_TEST

START_TEST(test_throttled_sources_are_left_out_hidden_or_none)
{
    json_auto_t *status = json_object(),
                *none = json_pack("{s:i, s:[]}", "n_throttled", 0, "throttles");
    json_auto_t *services = json_pack("{s:[]}", "services"), *connections = json_array();
    struct page page = {.status = status, .services = services, .samples = &samples};
    static const char title[] = "<h2>Throttled sources</h2>";
    char *text = written(&page);

    ck_assert_ptr_null(strstr(text, title));
    free(text);
    json_object_set_new(status, "fleet", json_object());
    text = written(&page);
    ck_assert_ptr_nonnull(strstr(text, title));
    ck_assert_ptr_nonnull(strstr(strstr(text, title), "Clients are hidden"));
    free(text);
    page.throttles = none;
    page.connections = connections;
    text = written(&page);
    ck_assert_ptr_nonnull(strstr(text, "<h2>Throttled sources</h2>\n<p class=\"quiet\">None.</p>"));
    free(text);
    /* An older daemon has no such list. */
    page.throttles = NULL;
    text = written(&page);
    ck_assert_ptr_null(strstr(text, title));
    free(text);
}
END_TEST

START_TEST(test_alerts_stand_at_the_top)
{
    json_auto_t *status =
        json_pack("{s:[{s:s, s:{s:i}}], s:{s:i}}", "alerts", "text", "SMTP is <full>", "since",
                  "monotonic", 2000000, "now", "monotonic", 5000000);
    json_auto_t *services = json_pack("{s:[{s:s}]}", "services", "name", "SMTP");
    const struct page page = {.status = status, .services = services, .samples = &samples};
    char *text = written(&page);
    const char *alert = strstr(text, "SMTP is &lt;full&gt; <span class=\"quiet\">for 3s</span>");

    ck_assert_ptr_nonnull(strstr(text, "role=\"alert\""));
    ck_assert_ptr_nonnull(alert);
    ck_assert(alert < strstr(text, "<h2>SMTP"));
    free(text);
    json_array_clear(json_object_get(status, "alerts"));
    text = written(&page);
    ck_assert_ptr_null(strstr(text, "role=\"alert\""));
    free(text);
}
END_TEST

/* A pool of MAX_PROCS workers is as it should be; one whose places are taken is not. */
START_TEST(test_gauges_warn_from_four_fifths_on)
{
    json_auto_t *services =
        json_pack("{s:[{s:{s:i,s:i}, s:{s:i,s:i}, s:{s:i,s:i}, s:{s:i,s:i}}]}", "services",
                  "workers", "value", 2, "limit", 2, "active", "value", 1, "limit", 2, "handoffs",
                  "value", 8, "limit", 10, "queue", "value", 5, "limit", 5);
    json_auto_t *status = json_object();
    char *text =
        written(&(struct page){.status = status, .services = services, .samples = &samples});

    ck_assert_ptr_nonnull(strstr(text, "<div class=\"gauge\"><span>Workers<"));
    ck_assert_ptr_nonnull(strstr(text, "<div class=\"gauge\"><span>Active<"));
    ck_assert_ptr_nonnull(strstr(text, "<div class=\"gauge near\"><span>Hand-offs<"));
    ck_assert_ptr_nonnull(strstr(text, "<div class=\"gauge at\"><span>Kernel queue<"));
    free(text);
}
END_TEST

START_TEST(test_tells_what_is_over)
{
    json_auto_t *status = json_object();
    json_auto_t *services = json_pack("{s:{s:i}, s:[]}", "now", "monotonic", 9000000, "services");
    json_auto_t *workers =
        json_pack("[{s:s, s:i, s:i, s:{s:i}, s:{s:i}, s:s}]", "service", "SMTP", "pid", 4711,
                  "n_current", 2, "started_at", "monotonic", 1000000, "ended_at", "monotonic",
                  4000000, "cause", "died of signal 9");
    json_auto_t *connections =
        json_pack("[{s:s, s:s, s:s, s:{s:i}, s:{s:i}}]", "id", "0e58824700000001", "end",
                  "rejected", "rejection", "mapping", "accepted_at", "monotonic", 5000000,
                  "ended_at", "monotonic", 7000000);
    struct page page = {.status = status, .services = services, .samples = &samples};
    char *text = written(&page);

    ck_assert_ptr_null(strstr(text, "ended</h2>"));
    free(text);
    page.ended_workers = workers;
    page.ended_connections = connections;
    text = written(&page);
    ck_assert_ptr_nonnull(strstr(text, "<td>4711</td><td>5s</td><td>3s</td><td>2</td>"));
    ck_assert_ptr_nonnull(strstr(text, "died of signal 9</td></tr>"));
    ck_assert_ptr_nonnull(strstr(text, ">rejected: mapping</td>"));
    ck_assert_ptr_nonnull(strstr(text, "<td>2s</td><td>2s</td><td>–</td></tr>"));
    free(text);
}
END_TEST

START_TEST(test_without_figures_it_says_why)
{
    char *text = written(&(struct page){.samples = &samples, .error = "Connection <refused>"});

    ck_assert_ptr_nonnull(
        strstr(text, "No figures: dispatcherd does not answer (Connection &lt;refused&gt;)."));
    ck_assert_ptr_nonnull(strstr(text, "</html>"));
    free(text);
}
END_TEST

START_TEST(test_what_is_of_another_type_reads_as_nothing)
{
    json_auto_t *odd = json_pack("{s:[i,n,{},{s:i,s:s,s:[]}]}", "services", 1, "name", 3, "workers",
                                 "x", "statistics");
    json_auto_t *list = json_pack("[i,n,{}]", 1);
    json_auto_t *throttles = json_pack("{s:O, s:s}", "throttles", list, "n_throttled", "x");

    char *text = written(&(struct page){.status = list,
                                        .services = odd,
                                        .workers = list,
                                        .connections = odd,
                                        .ended_workers = list,
                                        .ended_connections = list,
                                        .throttles = throttles,
                                        .samples = &samples});

    ck_assert_ptr_null(strstr(text, "(null)"));
    ck_assert_ptr_nonnull(strstr(text, "<tr><td class=\"text\"></td><td>–</td>"));
    ck_assert_ptr_nonnull(strstr(text, "<h2>Connections</h2>\n<p class=\"quiet\">None.</p>"));
    ck_assert_ptr_nonnull(strstr(text, "</html>"));
    free(text);
}
END_TEST

SUITE("page", NULL, NULL, test_every_text_is_escaped,
      test_tells_whether_the_store_of_the_fleet_is_there,
      test_tells_how_old_it_is_and_what_else_holds_over_the_fleet,
      test_throttled_sources_have_the_counts_of_all_hosts,
      test_throttled_sources_are_left_out_hidden_or_none, test_alerts_stand_at_the_top,
      test_gauges_warn_from_four_fifths_on, test_tells_what_is_over,
      test_without_figures_it_says_why, test_what_is_of_another_type_reads_as_nothing)
