/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/suite.h"
#include "web/metrics.h"
#include "web/written.h"

#include <stdlib.h>
#include <string.h>

static const char status_text[] =
    "{'version': 'x', 'config_hash': '12ab', 'mapping_hash': null, 'started_at': {'realtime': "
    "1500000}, 'services': [{'name': 'SMTP'}],"
    " 'dns_lists': [{'zone': 'a.test'}, {'zone': 'b.test'}],"
    " 'alerts': [{'alert': 'waiting', 'service': 'SMTP', 'zone': null},"
    "  {'alert': 'dns_list', 'service': null, 'zone': 'b.test'}]}";

static const char services_text[] =
    "{'services': [{'name': 'SMTP', 'state': 'full', 'workers': {'value': 2, 'limit': 10},"
    " 'handoffs': {'value': 1, 'limit': 8}, 'waiting': {'value': 3, 'limit': 9},"
    " 'checking': {'value': 4, 'limit': 1024}, 'queue': {'value': 5, 'limit': 128},"
    " 'listeners': [{'n_dropped': 3}, {'n_dropped': 4}],"
    " 'statistics': {'n_accepted': 12, 'rejected': {'access': 5},"
    "  'concurrent': {'average': 1.5, 'max': 7}, 'wait': {'n': 4, 'sum_usec': 1000, 'max_usec': "
    "700}}}]}";

/* JSON with ' for ". */
static json_t *json_of(const char *text)
{
    char *copy = strdup(text);

    for (char *s = strchr(copy, '\''); s; s = strchr(s, '\''))
        *s = '"';
    json_t *json = json_loads(copy, 0, NULL);
    ck_assert_ptr_nonnull(json);
    free(copy);
    return json;
}

static char *written(enum metrics_format format, const char *services)
{
    json_auto_t *status_json = services ? json_of(status_text) : NULL;
    json_auto_t *services_json = services ? json_of(services) : NULL;
    FILE *stream = written_begin();

    metrics_write(stream, format, status_json, services_json);
    return written_end();
}

static void check_has(const char *text, const char *line)
{
    ck_assert_msg(strstr(text, line), "no '%s' in:\n%s", line, text);
}

START_TEST(test_figures_are_written_with_their_service)
{
    char *text = written(METRICS_PLAIN, services_text);

    check_has(text, "\ndispatcherd_workers{service=\"SMTP\"} 2\n");
    check_has(text, "\ndispatcherd_workers_max{service=\"SMTP\"} 10\n");
    check_has(text, "\ndispatcherd_accepted_connections_total{service=\"SMTP\"} 12\n");
    check_has(text,
              "\ndispatcherd_rejected_connections_total{service=\"SMTP\",reason=\"access\"} 5\n");
    check_has(text, "\ndispatcherd_kernel_dropped_connections_total{service=\"SMTP\"} 7\n");
    check_has(text, "\ndispatcherd_concurrent_connections_average{service=\"SMTP\"} 1.500000\n");
    check_has(text, "\ndispatcherd_wait_longest_seconds{service=\"SMTP\"} 0.000700\n");
    check_has(text, "\n# TYPE dispatcherd_wait_seconds summary\n");
    check_has(text, "\ndispatcherd_wait_seconds_sum{service=\"SMTP\"} 0.001000\n");
    check_has(text, "\ndispatcherd_wait_seconds_count{service=\"SMTP\"} 4\n");
    check_has(text, "\ndispatcherd_service_running{service=\"SMTP\"} 1\n");
    check_has(text, "\ndispatcherd_start_time_seconds 1.500000\n");
    check_has(text, "\ndispatcherd_up 1\n");
    check_has(text, "\ndispatcherd_build_info{version=\"x\"} 1\n");
    check_has(text, "\ndispatcherd_config_info{options=\"12ab\",mappings=\"\"} 1\n");
    free(text);
}
END_TEST

START_TEST(test_every_gauge_has_its_limit)
{
    static const char *const gauges[] = {"workers",
                                         "active_connections",
                                         "handoffs",
                                         "waiting_connections",
                                         "checking_connections",
                                         "queue_connections"};
    char *text = written(METRICS_PLAIN, services_text);

    for (size_t i = 0; i < sizeof(gauges) / sizeof(gauges[0]); i++) {
        char line[80];

        snprintf(line, sizeof(line), "\ndispatcherd_%s{service=\"SMTP\"} ", gauges[i]);
        check_has(text, line);
        snprintf(line, sizeof(line), "\ndispatcherd_%s_max{service=\"SMTP\"} ", gauges[i]);
        check_has(text, line);
    }
    check_has(text, "\ndispatcherd_handoffs_max{service=\"SMTP\"} 8\n");
    check_has(text, "\ndispatcherd_checking_connections_max{service=\"SMTP\"} 1024\n");
    free(text);
}
END_TEST

START_TEST(test_each_alert_is_there_whether_raised_or_not)
{
    char *text = written(METRICS_PLAIN, services_text);

    check_has(text, "\n# TYPE dispatcherd_alert gauge\n");
    check_has(text, "\ndispatcherd_alert{service=\"SMTP\",alert=\"full\"} 0\n");
    check_has(text, "\ndispatcherd_alert{service=\"SMTP\",alert=\"waiting\"} 1\n");
    check_has(text, "\ndispatcherd_alert{service=\"SMTP\",alert=\"dying\"} 0\n");
    check_has(text, "\ndispatcherd_alert{service=\"SMTP\",alert=\"unreachable\"} 0\n");
    check_has(text, "\ndispatcherd_alert{service=\"\",alert=\"dns_list\",zone=\"a.test\"} 0\n");
    check_has(text, "\ndispatcherd_alert{service=\"\",alert=\"dns_list\",zone=\"b.test\"} 1\n");
    free(text);
}
END_TEST

START_TEST(test_counters_are_named_as_each_format_wants)
{
    char *plain = written(METRICS_PLAIN, services_text);
    char *open = written(METRICS_OPEN, services_text);

    check_has(plain, "\n# TYPE dispatcherd_ended_connections_total counter\n");
    ck_assert_ptr_null(strstr(plain, "# EOF"));
    check_has(open, "\n# TYPE dispatcherd_ended_connections counter\n");
    check_has(open, "\ndispatcherd_ended_connections_total{");
    ck_assert_str_eq(open + strlen(open) - strlen("\n# EOF\n"), "\n# EOF\n");
    free(plain);
    free(open);
}
END_TEST

START_TEST(test_figures_of_the_fleet_have_no_label)
{
    json_auto_t *status =
        json_of("{'fleet': {'is_up': true, 'n_addresses': 34, 'n_late': 5, 'down_usec': 1500000}}");
    FILE *stream = written_begin();

    metrics_write(stream, METRICS_PLAIN, status, NULL);
    char *text = written_end();
    check_has(text, "\ndispatcherd_fleet_up 1\n");
    check_has(text, "\n# TYPE dispatcherd_fleet_addresses gauge\n");
    check_has(text, "\ndispatcherd_fleet_addresses 34\n");
    check_has(text, "\ndispatcherd_fleet_late_total 5\n");
    check_has(text, "\ndispatcherd_fleet_down_seconds_total 1.500000\n");
    free(text);
    text = written(METRICS_PLAIN, services_text);
    ck_assert_ptr_null(strstr(text, "dispatcherd_fleet_"));
    free(text);
}
END_TEST

START_TEST(test_a_daemon_that_does_not_answer_is_down)
{
    char *text = written(METRICS_OPEN, NULL);

    check_has(text, "\ndispatcherd_up 0\n# EOF\n");
    free(text);
}
END_TEST

START_TEST(test_labels_are_escaped)
{
    FILE *stream = written_begin();

    metrics_label(stream, "a\"} 1\nb\\c<");
    char *text = written_end();
    ck_assert_str_eq(text, "a\\\"} 1\\nb\\\\c<");
    free(text);
}
END_TEST

START_TEST(test_what_is_missing_reads_as_nothing)
{
    free(written(METRICS_OPEN, "{}"));
    free(written(METRICS_OPEN, "{'services': [{}, 1, null, {'statistics': []}]}"));
}
END_TEST

SUITE("metrics", NULL, NULL, test_figures_are_written_with_their_service,
      test_every_gauge_has_its_limit, test_each_alert_is_there_whether_raised_or_not,
      test_counters_are_named_as_each_format_wants, test_figures_of_the_fleet_have_no_label,
      test_a_daemon_that_does_not_answer_is_down, test_labels_are_escaped,
      test_what_is_missing_reads_as_nothing)
