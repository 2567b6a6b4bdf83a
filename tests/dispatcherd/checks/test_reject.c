/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "base/fd.h"
#include "base/time.h"
#include "dispatcherd/checks/admission.h"
#include "dispatcherd/checks/reject.h"
#include "dispatcherd/control_scene.h"
#include "dispatcherd/report/events.h"
#include "dispatcherd/report/message_ids.h"
#include "support/suite.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define REPLY "550-no\r\n550 never\r\n"

/* Bit 24 is on for the first service, and no bit for the second. */
enum {
    TELLS,
    IS_SILENT
};
static const char configuration[] =
    "[SERVICE=SMTP]\nPORT=25\nIMAGE=smtp\nHISTORICAL_TIME=60\nDEBUG=16%1000000\n"
    "[SERVICE=POP3]\nPORT=110\nIMAGE=pop3\nHISTORICAL_TIME=60\nDEBUG=0\n";

static const struct mapping_entry entry = {.file = "mappings", .line = 12, .text = "TCP|*"};

static struct control_scene scene;
static struct admission *admission;
static uint64_t now;
static int client;
static unsigned n_denied, n_faults, n_ends;
static char denied[2048], fault[2048];

static void take(_unused_ struct follower *follower, json_t *event)
{
    const char *id = json_string_value(json_object_get(event, "message_id"));
    const char *text = json_string_value(json_object_get(event, "text"));

    if (id && strcmp(id, MESSAGE_ID_ACCESS_DENIED) == 0) {
        n_denied++;
        snprintf(denied, sizeof(denied), "%s", text);
    } else if (strcmp(json_string_value(json_object_get(event, "event")), "message") == 0) {
        n_faults++;
        snprintf(fault, sizeof(fault), "%s", text);
    } else {
        n_ends++;
    }
}

static struct follower follower = {.take = take};

static void set_up(void)
{
    const struct admission_settings settings = {.dns_servers = "127.0.0.1:1", .ident_port = 113};
    struct problem_list problems = {0};
    struct mapping_set *set = NULL;

    scene_init(&scene, configuration);
    ck_assert_int_eq(mapping_set_load("/nonexistent/mappings", &problems, &set), 0);
    problem_list_clear(&problems);
    ck_assert_int_eq(admission_new(&scene.context, &settings, set, &admission), 0);
    mapping_set_unref(set);
    scene.context.admission = admission;
    now = time_now_usec(CLOCK_MONOTONIC);
    n_denied = n_faults = n_ends = 0;
    denied[0] = fault[0] = '\0';
    client = -1;
    events_follow(&follower);
}

static void tear_down(void)
{
    events_leave(&follower);
    client = fd_close(client);
    scene_clear(&scene);
    admission_free(admission);
}

/* A connection of 192.0.2.7 that is being checked. */
static struct connection *begin(size_t service, bool is_tls)
{
    struct address peer, local;
    int fds[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    fd_close(client);
    client = fds[1];
    struct connection *connection = connection_new(scene.services[service], &fds[0], now);
    ck_assert_ptr_nonnull(connection);
    ck_assert_int_eq(address_parse("192.0.2.7", &peer), 0);
    ck_assert_int_eq(address_parse("192.0.2.1", &local), 0);
    local.port = 25;
    connection_set_ends(connection, &peer, &local, is_tls);
    connection_check(connection);
    return connection;
}

static void refuse(size_t service, const struct connection_end *end)
{
    struct connection_end rejected = *end;

    rejected.how = HISTORY_REJECTED;
    rejected.at = now;
    reject_connection(begin(service, false), &rejected);
}

/* The client gets this text, and then the end. */
static void check_client_reads(const char *wanted)
{
    char text[2048];
    size_t length = 0;
    ssize_t n;

    while ((n = read(client, text + length, sizeof(text) - 1 - length)) > 0)
        length += (size_t)n;
    ck_assert_int_eq(n, 0);
    text[length] = '\0';
    ck_assert_str_eq(text, wanted);
}

START_TEST(test_each_callout_stands_for_a_reason)
{
    ck_assert_int_eq(reject_cause(CALLOUT_DNS_LIST), REJECTED_BY_DNS_LIST);
    ck_assert_int_eq(reject_cause(CALLOUT_THROTTLE), REJECTED_BY_THROTTLE);
    ck_assert_int_eq(reject_cause(CALLOUT_THROTTLE_PENALTY), REJECTED_BY_THROTTLE);
    ck_assert_int_eq(reject_cause(CALLOUT_CONCURRENT), REJECTED_FOR_ADDRESS);
}
END_TEST

START_TEST(test_bit_24_says_whether_a_refusal_is_told)
{
    struct connection *connection = begin(TELLS, false);

    ck_assert(reject_is_logged(connection));
    connection_close(connection, now);
    connection = begin(IS_SILENT, false);
    ck_assert(!reject_is_logged(connection));
    connection_close(connection, now);
}
END_TEST

START_TEST(test_the_client_gets_its_text_and_everybody_the_record)
{
    const struct service *service = scene.services[TELLS];

    refuse(TELLS, &(struct connection_end){.reason = REJECTED_BY_MAPPING,
                                           .entry = &entry,
                                           .text = REPLY,
                                           .text_length = strlen(REPLY)});
    check_client_reads(REPLY);
    ck_assert_uint_eq(service->pool->n_checking, 0);
    ck_assert_uint_eq(service->statistics->n_rejected[REJECTED_BY_MAPPING], 1);
    ck_assert_uint_eq(statistics_rejected(service->statistics), 1);
    const struct history_connection *kept =
        history_connection(&service->state->history, 0, 60 * USEC_PER_SEC, now);
    ck_assert_ptr_nonnull(kept);
    ck_assert_uint_eq(kept->end, HISTORY_REJECTED);
    ck_assert_uint_eq(kept->rejection, REJECTED_BY_MAPPING);
    const struct access_decision *decision = decisions_next(admission->decisions, NULL, NULL, NULL);
    ck_assert_ptr_nonnull(decision);
    ck_assert_uint_eq(decision->connection_id, kept->id);
    ck_assert_str_eq(decision->reason, "mapping");
    ck_assert_str_eq(decision->file, "mappings");
    ck_assert_uint_eq(decision->line, 12);
    ck_assert_str_eq(decision->text, "550-no 550 never");
    ck_assert_uint_eq(service->rejections.n, 1);
    ck_assert_str_eq(service->rejections.detail, "entry mappings:12");
    ck_assert_uint_eq(n_ends, 1);
}
END_TEST

START_TEST(test_without_a_text_the_client_gets_the_end)
{
    refuse(TELLS, &(struct connection_end){.reason = REJECTED_BY_THROTTLE, .what = "too many"});
    check_client_reads("");
    ck_assert_uint_eq(rejections_counts(admission->rejections)->n_silent, 1);
}
END_TEST

/* It would break the handshake. */
START_TEST(test_no_text_is_sent_on_a_tls_port)
{
    const struct connection_end end = {.how = HISTORY_REJECTED,
                                       .at = now,
                                       .reason = REJECTED_BY_MAPPING,
                                       .entry = &entry,
                                       .text = REPLY,
                                       .text_length = strlen(REPLY)};

    reject_connection(begin(TELLS, true), &end);
    check_client_reads("");
    ck_assert_str_eq(decisions_next(admission->decisions, NULL, NULL, NULL)->text, "");
}
END_TEST

START_TEST(test_is_told_in_the_words_of_what_decided)
{
    const struct dns_lists_answer list = {.is_listed = true,
                                          .zone = "list.example",
                                          .address.s_addr = htonl(0x7f000002),
                                          .text = "known for spam"};

    refuse(TELLS, &(struct connection_end){.reason = REJECTED_BY_MAPPING,
                                           .entry = &entry,
                                           .text = REPLY,
                                           .text_length = strlen(REPLY)});
    ck_assert_str_eq(denied, "access_control: host 192.0.2.7 rejected by PORT_ACCESS, service "
                             "SMTP, port 25, entry mappings:12: 550-no 550 never");
    refuse(TELLS, &(struct connection_end){.reason = REJECTED_BY_DNS_LIST, .list = list});
    ck_assert_str_eq(denied, "access_control: host 192.0.2.7 found on DNS list and rejected; list "
                             "list.example: 127.0.0.2, \"known for spam\"");
    ck_assert_str_eq(scene.services[TELLS]->rejections.detail, "list.example");
    refuse(TELLS,
           &(struct connection_end){.reason = REJECTED_BY_DNS_LIST, .entry = &entry, .list = list});
    ck_assert_str_eq(denied, "access_control: host 192.0.2.7 rejected by PORT_ACCESS, service "
                             "SMTP, port 25, entry mappings:12: ; list list.example: 127.0.0.2, "
                             "\"known for spam\"");
    /* The list was asked, and does not have the client. */
    const struct dns_lists_answer no_list = {.zone = "list.example"};
    refuse(TELLS, &(struct connection_end){
                      .reason = REJECTED_BY_MAPPING, .entry = &entry, .list = no_list});
    ck_assert_ptr_null(strstr(denied, "list.example"));
    refuse(TELLS, &(struct connection_end){.reason = REJECTED_BY_THROTTLE, .what = "too many"});
    ck_assert_str_eq(denied, "access_control: host 192.0.2.7 rejected, service SMTP, port 25: too "
                             "many");
    ck_assert_str_eq(scene.services[TELLS]->rejections.detail, "too many");
    ck_assert_uint_eq(n_denied, 5);
    ck_assert_uint_eq(n_faults, 0);
}
END_TEST

START_TEST(test_a_long_text_is_cut_in_the_log)
{
    static char text[2 * REJECTION_TEXT_MAX_BYTES];

    memset(text, 'x', sizeof(text));
    refuse(TELLS, &(struct connection_end){.reason = REJECTED_BY_MAPPING,
                                           .entry = &entry,
                                           .text = text,
                                           .text_length = sizeof(text)});
    const char *told = strstr(denied, ": xxx");
    ck_assert_ptr_nonnull(told);
    ck_assert_uint_eq(strlen(told + 2), REJECTION_TEXT_MAX_BYTES - 1);
}
END_TEST

START_TEST(test_without_bit_24_it_is_counted_and_not_told)
{
    refuse(IS_SILENT, &(struct connection_end){.reason = REJECTED_BY_MAPPING, .entry = &entry});
    ck_assert_uint_eq(n_denied, 0);
    ck_assert_uint_eq(n_faults, 0);
    ck_assert_uint_eq(statistics_rejected(scene.services[IS_SILENT]->statistics), 1);
    ck_assert_uint_eq(statistics_rejected(scene.services[TELLS]->statistics), 0);
}
END_TEST

START_TEST(test_a_failed_check_is_told_once_a_minute)
{
    const struct connection_end end = {.reason = REJECTED_FOR_ERROR, .what = "no memory"};

    refuse(IS_SILENT, &end);
    ck_assert_uint_eq(n_faults, 1);
    ck_assert_str_eq(fault, "closing a connection because its check failed: no memory");
    now += 60 * USEC_PER_SEC - 1;
    refuse(IS_SILENT, &end);
    ck_assert_uint_eq(n_faults, 1);
    now++;
    refuse(IS_SILENT, &end);
    ck_assert_uint_eq(n_faults, 2);
    ck_assert_uint_eq(n_denied, 0);
    ck_assert_uint_eq(scene.services[IS_SILENT]->statistics->n_rejected[REJECTED_FOR_ERROR], 3);
    /* Each service tells of its own. */
    refuse(TELLS, &end);
    ck_assert_uint_eq(n_faults, 3);
}
END_TEST

SUITE("refusal", set_up, tear_down, test_each_callout_stands_for_a_reason,
      test_bit_24_says_whether_a_refusal_is_told,
      test_the_client_gets_its_text_and_everybody_the_record,
      test_without_a_text_the_client_gets_the_end, test_no_text_is_sent_on_a_tls_port,
      test_is_told_in_the_words_of_what_decided, test_a_long_text_is_cut_in_the_log,
      test_without_bit_24_it_is_counted_and_not_told, test_a_failed_check_is_told_once_a_minute)
