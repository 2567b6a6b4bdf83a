/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What is logged during a check, and what is kept of its result. */
#include "dispatcherd/checks/admission.h"
#include "dispatcherd/checks/check_report.h"
#include "dispatcherd/control_scene.h"
#include "dispatcherd/report/events.h"
#include "dispatcherd/report/message_ids.h"
#include "support/simulated_clock.h"
#include "support/suite.h"

#include <stdio.h>
#include <string.h>

static const struct mapping_entry entry = {.file = "mappings", .line = 12, .text = "TCP|*"};

static struct control_scene scene;
static struct connection *connection;
static unsigned n_lines;
static char last_line[1024], last_id[64], last_reason[64];

static void take(_unused_ struct follower *follower, json_t *event)
{
    const char *id = json_string_value(json_object_get(event, "message_id"));
    const char *reason = json_string_value(json_object_get(event, "reason"));

    n_lines++;
    snprintf(last_line, sizeof(last_line), "%s", json_string_value(json_object_get(event, "text")));
    snprintf(last_id, sizeof(last_id), "%s", id ? id : "");
    snprintf(last_reason, sizeof(last_reason), "%s", reason ? reason : "");
}

static struct follower follower = {.take = take};

static void set_up(void)
{
    scene_init(&scene, "[SERVICE=SMTP]\nPORT=25\nIMAGE=/bin/true\n");
    scene_admit(&scene, "");
    connection = scene_add_connection(&scene, 0, NULL);
    n_lines = 0;
    events_follow(&follower);
}

static void tear_down(void)
{
    events_leave(&follower);
    scene_clear(&scene);
}

/* A table that is wrong for a client is so for each of its connections. */
START_TEST(test_a_limit_is_reported_once_a_minute_with_its_count)
{
    for (unsigned i = 0; i < 3; i++)
        check_report_limit(connection);
    ck_assert_uint_eq(n_lines, 1);
    ck_assert_str_eq(last_id, MESSAGE_ID_MAPPING_LIMIT);
    ck_assert_ptr_nonnull(strstr(last_line, "(1 time so far)"));
    clock_advance(59 * USEC_PER_SEC);
    check_report_limit(connection);
    ck_assert_uint_eq(n_lines, 1);
    clock_advance(USEC_PER_SEC);
    check_report_limit(connection);
    ck_assert_uint_eq(n_lines, 2);
    ck_assert_ptr_nonnull(strstr(last_line, "(5 times so far)"));
}
END_TEST

START_TEST(test_notes_are_logged_with_the_reason)
{
    static struct port_access verdict;

    check_report_notes(connection, &verdict, REJECTED_BY_MAPPING);
    ck_assert_uint_eq(n_lines, 0);
    strcpy(verdict.match_note, "matched");
    strcpy(verdict.reject_note, "rejected");
    check_report_notes(connection, &verdict, REJECTED_BY_MAPPING);
    /* It was not rejected. */
    ck_assert_uint_eq(n_lines, 1);
    ck_assert_str_eq(last_line, "matched");
    ck_assert_str_eq(last_id, MESSAGE_ID_MAPPING_NOTE);
    ck_assert_str_eq(last_reason, "");
    verdict.is_rejected = true;
    check_report_notes(connection, &verdict, REJECTED_BY_THROTTLE);
    ck_assert_uint_eq(n_lines, 3);
    ck_assert_str_eq(last_line, "rejected");
    ck_assert_str_eq(last_reason, statistics_rejection_to_string(REJECTED_BY_THROTTLE));
}
END_TEST

static const struct access_decision *last_decision(void)
{
    return decisions_next(scene.context.admission->decisions, NULL, NULL, NULL);
}

START_TEST(test_an_admission_is_kept_with_its_entry)
{
    check_report_passed(connection, NULL, 4711);
    ck_assert_uint_eq(last_decision()->at, 4711);
    ck_assert_uint_eq(last_decision()->connection_id, connection->id);
    ck_assert(address_equal(&last_decision()->client, &connection->peer));
    ck_assert(address_equal(&last_decision()->local, &connection->local));
    ck_assert_str_eq(last_decision()->service, "SMTP");
    ck_assert_str_eq(last_decision()->reason, "");
    ck_assert_uint_eq(last_decision()->line, 0);
    check_report_passed(connection, &entry, 4712);
    ck_assert_str_eq(last_decision()->file, "mappings");
    ck_assert_uint_eq(last_decision()->line, 12);
    ck_assert_str_eq(last_decision()->pattern, "TCP|*");
}
END_TEST

START_TEST(test_a_rejection_is_kept_with_what_decided)
{
    struct connection_end end = {.how = HISTORY_REJECTED,
                                 .at = 4711,
                                 .reason = REJECTED_BY_DNS_LIST,
                                 .list.zone = "list.example",
                                 .text = "550 no\r\n",
                                 .text_length = 8};

    check_report_rejected(connection, &end);
    ck_assert_str_eq(last_decision()->reason, statistics_rejection_to_string(REJECTED_BY_DNS_LIST));
    ck_assert_str_eq(last_decision()->zone, "list.example");
    ck_assert_str_eq(last_decision()->text, "550 no");
    /* If an entry has asked the list, the entry has decided. */
    end.entry = &entry;
    check_report_rejected(connection, &end);
    ck_assert_str_eq(last_decision()->zone, "");
    ck_assert_uint_eq(last_decision()->line, 12);
    end = (struct connection_end){
        .how = HISTORY_REJECTED, .at = 4712, .reason = REJECTED_FOR_ERROR, .what = "it broke"};
    check_report_rejected(connection, &end);
    ck_assert_str_eq(last_decision()->detail, "it broke");
    ck_assert_str_eq(last_decision()->text, "");
}
END_TEST

/* Nobody could read it before the handshake, so it was not sent. */
START_TEST(test_a_client_of_a_tls_port_has_read_no_text)
{
    const struct connection_end end = {.how = HISTORY_REJECTED,
                                       .at = 4711,
                                       .reason = REJECTED_BY_MAPPING,
                                       .entry = &entry,
                                       .text = "550 no\r\n",
                                       .text_length = 8};

    connection_set_ends(connection, &connection->peer, &connection->local, true);
    check_report_rejected(connection, &end);
    ck_assert_str_eq(last_decision()->text, "");
}
END_TEST

SUITE("check_report", set_up, tear_down, test_a_limit_is_reported_once_a_minute_with_its_count,
      test_notes_are_logged_with_the_reason, test_an_admission_is_kept_with_its_entry,
      test_a_rejection_is_kept_with_what_decided, test_a_client_of_a_tls_port_has_read_no_text)
