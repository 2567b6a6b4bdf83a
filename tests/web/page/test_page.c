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
        "text",    "end",          "rejection",     "cause"};
    json_auto_t *object = hostile_object(members, sizeof(members) / sizeof(members[0]));
    json_auto_t *end = json_deep_copy(object);
    json_auto_t *list = json_pack("[O]", object);
    json_auto_t *services = json_pack("{s:O}", "services", list);
    json_auto_t *listeners = json_pack("[O]", end);
    json_auto_t *rejected = json_pack("{s:{s:i}}", "rejected", HOSTILE, 3);

    json_object_set(object, "alerts", listeners);
    json_object_set(object, "client", end);
    json_object_set(object, "local", end);
    json_object_set(object, "listeners", listeners);
    json_object_set(object, "statistics", rejected);
    json_object_set_new(object, "is_on_last_config", json_true());
    char *text = written(&(struct page){.status = object,
                                        .services = services,
                                        .workers = list,
                                        .connections = list,
                                        .ended_workers = list,
                                        .ended_connections = list,
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
                                       "sent."));
    free(text);
    json_object_set_new(json_object_get(status, "fleet"), "is_up", json_false());
    text = written(&page);
    ck_assert_ptr_nonnull(strstr(text, " has been away for 3s (it is &lt;gone&gt;), and limits are "
                                       "those of this host alone."));
    free(text);
    json_object_del(status, "fleet");
    text = written(&page);
    ck_assert_ptr_null(strstr(text, "fleet"));
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

    char *text = written(&(struct page){.status = list,
                                        .services = odd,
                                        .workers = list,
                                        .connections = odd,
                                        .ended_workers = list,
                                        .ended_connections = list,
                                        .samples = &samples});

    ck_assert_ptr_null(strstr(text, "(null)"));
    ck_assert_ptr_nonnull(strstr(text, "<tr><td class=\"text\"></td><td>–</td>"));
    ck_assert_ptr_nonnull(strstr(text, "<h2>Connections</h2>\n<p class=\"quiet\">None.</p>"));
    ck_assert_ptr_nonnull(strstr(text, "</html>"));
    free(text);
}
END_TEST

SUITE("page", NULL, NULL, test_every_text_is_escaped,
      test_tells_whether_the_store_of_the_fleet_is_there, test_alerts_stand_at_the_top,
      test_gauges_warn_from_four_fifths_on, test_tells_what_is_over,
      test_without_figures_it_says_why, test_what_is_of_another_type_reads_as_nothing)
