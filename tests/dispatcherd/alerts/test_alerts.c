/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/alerts/alert_watch.h"
#include "dispatcherd/control_scene.h"
#include "dispatcherd/report/events.h"
#include "dispatcherd/report/message_ids.h"
#include "dispatcherd/service/listener.h"
#include "support/random.h"
#include "support/suite.h"

#include "base/time.h"

#include <stdlib.h>
#include <string.h>
#include <syslog.h>

/* 20 places. */
static const char configuration[] = "[SERVICE=SMTP]\nIMAGE=/bin/true\nPORT=2525\n"
                                    "MIN_PROCS=1\nMAX_PROCS=2\nMAX_CONNS=10\n";
#define PLACES 20

static struct control_scene scene;
static struct service *service;
static uint64_t now;

/* What was told: a line of the journal is an event, too. */
static struct {
    unsigned n_raised, n_cleared;
} told[N_SERVICE_ALERTS];

static void take(_unused_ struct follower *follower, json_t *event)
{
    static const char *const ids[N_SERVICE_ALERTS][2] = {
        [SERVICE_ALERT_FULL] = {MESSAGE_ID_SERVICE_FULL, MESSAGE_ID_SERVICE_HAS_ROOM},
        [SERVICE_ALERT_WAITING] = {MESSAGE_ID_CLIENTS_WAIT, MESSAGE_ID_CLIENTS_WAIT_NO_MORE},
        [SERVICE_ALERT_DYING] = {MESSAGE_ID_WORKERS_DIE, MESSAGE_ID_WORKERS_DIE_NO_MORE},
        [SERVICE_ALERT_UNREACHABLE] = {MESSAGE_ID_SOCKET_MISSING, MESSAGE_ID_SOCKET_AGAIN},
        [SERVICE_ALERT_REFUSING] = {MESSAGE_ID_EVERYBODY_REFUSED, MESSAGE_ID_ADMITS_AGAIN},
        [SERVICE_ALERT_BACKEND] = {MESSAGE_ID_BACKEND_AWAY, MESSAGE_ID_BACKEND_AGAIN},
        [SERVICE_ALERT_CERTIFICATE] = {MESSAGE_ID_CERTIFICATE_BAD, MESSAGE_ID_CERTIFICATE_GOOD},
    };
    const char *id = json_string_value(json_object_get(event, "message_id"));
    int64_t priority = json_integer_value(json_object_get(event, "priority"));

    for (unsigned i = 0; id && i < N_SERVICE_ALERTS; i++) {
        if (strcmp(id, ids[i][0]) == 0) {
            ck_assert_int_eq(priority, LOG_WARNING);
            told[i].n_raised++;
        } else if (strcmp(id, ids[i][1]) == 0) {
            ck_assert_int_eq(priority, LOG_NOTICE);
            told[i].n_cleared++;
        }
    }
}

static struct follower follower = {.take = take};

static void set_up(void)
{
    scene_init(&scene, configuration);
    service = scene.services[0];
    scene_add_worker(&scene, 0, 0, 100);
    scene_add_worker(&scene, 0, 1, 101);
    now = service->alerts.waits_from;
    events_follow(&follower);
}

static void tear_down(void)
{
    events_leave(&follower);
    scene_clear(&scene);
}

static uint64_t after(uint64_t usec, enum accept_verdict verdict)
{
    now += usec;
    return alerts_tell(service, verdict, now);
}

static void check(enum service_alert alert, unsigned n_raised, unsigned n_cleared)
{
    ck_assert_uint_eq(told[alert].n_raised, n_raised);
    ck_assert_uint_eq(told[alert].n_cleared, n_cleared);
    ck_assert(service->alerts.of[alert].is_raised == (n_raised > n_cleared));
}

static void serve(unsigned n)
{
    service->pool->n_active = n;
}

START_TEST(test_nothing_is_due_while_all_is_well)
{
    serve(PLACES - 1);
    ck_assert_uint_eq(after(USEC_PER_SEC, ACCEPT_YES), USEC_INFINITY);
    for (enum service_alert alert = 0; alert < N_SERVICE_ALERTS; alert++)
        check(alert, 0, 0);
    serve(0);
}
END_TEST

START_TEST(test_full_until_a_tenth_is_free_for_a_while)
{
    serve(PLACES);
    ck_assert_uint_eq(after(0, ACCEPT_NO_PLACE), USEC_INFINITY);
    check(SERVICE_ALERT_FULL, 1, 0);
    service->backlog.n_clients = 7;
    after(USEC_PER_SEC, ACCEPT_NO_PLACE);
    service->backlog.n_clients = 0;
    for (unsigned i = 0; i < 100; i++) {
        serve(PLACES - i % 2);
        after(60 * USEC_PER_SEC, i % 2 ? ACCEPT_YES : ACCEPT_NO_PLACE);
    }
    check(SERVICE_ALERT_FULL, 1, 0);
    serve(PLACES - 2);
    ck_assert_uint_eq(after(0, ACCEPT_YES), now + 10 * USEC_PER_SEC);
    ck_assert_uint_eq(after(10 * USEC_PER_SEC, ACCEPT_YES), USEC_INFINITY);
    check(SERVICE_ALERT_FULL, 1, 1);
    ck_assert_uint_eq(alerts_worst(service, SERVICE_ALERT_FULL), 7);
    serve(0);
}
END_TEST

/* Between two looks a place became free, and whoever waited was accepted. */
START_TEST(test_a_crowd_that_is_served_at_once_was_one)
{
    serve(PLACES);
    after(0, ACCEPT_NO_PLACE);
    serve(PLACES - 2);
    service->backlog.n_crowd = 5;
    after(USEC_PER_SEC, ACCEPT_YES);
    ck_assert_uint_eq(alerts_worst(service, SERVICE_ALERT_FULL), 5);
    service->backlog.n_crowd = 3;
    after(USEC_PER_SEC, ACCEPT_YES);
    ck_assert_uint_eq(alerts_worst(service, SERVICE_ALERT_FULL), 5);
    after(10 * USEC_PER_SEC, ACCEPT_YES);
    check(SERVICE_ALERT_FULL, 1, 1);
    /* Where nothing is full it says nothing. */
    service->backlog.n_crowd = 9;
    after(USEC_PER_SEC, ACCEPT_YES);
    check(SERVICE_ALERT_FULL, 1, 1);
    ck_assert_uint_eq(alerts_worst(service, SERVICE_ALERT_FULL), 5);
    serve(0);
}
END_TEST

static void check_described_as(enum service_alert alert, const char *words)
{
    char described[512];
    struct str_buffer text = str_buffer_init(described, sizeof(described));

    alerts_describe(service, alert, &text);
    ck_assert_str_eq(described, words);
}

static void check_described(const char *beginning)
{
    char words[512];
    struct str_buffer text = str_buffer_init(words, sizeof(words));

    alerts_describe(service, SERVICE_ALERT_FULL, &text);
    ck_assert_msg(strncmp(words, beginning, strlen(beginning)) == 0, "%s", words);
}

/* The alert goes on for a while; nobody is told meanwhile that it is full. */
START_TEST(test_what_is_full_no_more_does_not_say_so)
{
    serve(PLACES);
    after(0, ACCEPT_NO_PLACE);
    ck_assert(alerts_is_full(service));
    check_described("is full: 20/20 connections in 2 workers (");
    serve(PLACES - 2);
    after(USEC_PER_SEC, ACCEPT_YES);
    ck_assert(!alerts_is_full(service));
    check(SERVICE_ALERT_FULL, 1, 0);
    check_described("was full until a moment ago: 18/20 connections in 2 workers (");
    serve(PLACES);
    after(USEC_PER_SEC, ACCEPT_NO_PLACE);
    ck_assert(alerts_is_full(service));
    check(SERVICE_ALERT_FULL, 1, 0);
    serve(0);
}
END_TEST

/* Until it has exited, a worker that has died holds its slot. */
START_TEST(test_a_pool_without_a_ready_worker_is_not_full)
{
    pool_worker_draining(service->pool, 0, now);
    pool_worker_draining(service->pool, 1, now);
    serve(2);
    after(0, ACCEPT_NO_PLACE);
    check(SERVICE_ALERT_FULL, 0, 0);
    serve(0);
}
END_TEST

START_TEST(test_a_client_that_waits_here)
{
    struct connection *connection = scene_add_connection(&scene, 0, NULL);

    now = connection->waiting_since;
    ck_assert_uint_eq(after(0, ACCEPT_YES), now + USEC_PER_SEC);
    after(USEC_PER_SEC - 1, ACCEPT_YES);
    check(SERVICE_ALERT_WAITING, 0, 0);
    after(1, ACCEPT_YES);
    check(SERVICE_ALERT_WAITING, 1, 0);
    connection_close(connection, now + USEC_PER_SEC);
    after(2 * USEC_PER_SEC, ACCEPT_YES);
    ck_assert_uint_eq(alerts_worst(service, SERVICE_ALERT_WAITING), 2 * USEC_PER_SEC);
    after(20 * USEC_PER_SEC, ACCEPT_YES);
    ck_assert_uint_eq(after(10 * USEC_PER_SEC, ACCEPT_YES), USEC_INFINITY);
    check(SERVICE_ALERT_WAITING, 1, 1);
}
END_TEST

START_TEST(test_a_client_that_waits_in_the_kernel)
{
    service->listeners[0].stuck_since = now;
    after(USEC_PER_SEC - 1, ACCEPT_NO_PLACE);
    /* One was accepted, which had not lain there for long; when others came is not known. */
    service->listeners[0].stuck_since = 0;
    alerts_note_wait(&service->alerts, now - 600000, now);
    after(2 * USEC_PER_SEC, ACCEPT_NO_PLACE);
    check(SERVICE_ALERT_WAITING, 0, 0);
    alerts_note_wait(&service->alerts, now - 1500000, now);
    after(0, ACCEPT_NO_PLACE);
    check(SERVICE_ALERT_WAITING, 1, 0);
}
END_TEST

START_TEST(test_waits_before_we_were_there_do_not_count)
{
    alerts_note_wait(&service->alerts, now - 3600 * USEC_PER_SEC, now + 999999);
    after(USEC_PER_SEC, ACCEPT_YES);
    check(SERVICE_ALERT_WAITING, 0, 0);
    service->pool->is_stopping = true;
    service->listeners[0].stuck_since = now;
    after(3600 * USEC_PER_SEC, ACCEPT_STOPPING);
    service->pool->is_stopping = false;
    after(USEC_PER_SEC - 1, ACCEPT_NO_PLACE);
    check(SERVICE_ALERT_WAITING, 0, 0);
    after(1, ACCEPT_NO_PLACE);
    check(SERVICE_ALERT_WAITING, 1, 0);
}
END_TEST

static void die(unsigned n_in_row)
{
    service->alerts.deaths.n = n_in_row;
    service->alerts.has_new_death = true;
}

START_TEST(test_deaths_in_a_row)
{
    for (unsigned n = 1; n <= 5; n++) {
        check(SERVICE_ALERT_DYING, n > 3, 0);
        die(n);
        after(20 * USEC_PER_SEC, ACCEPT_YES);
    }
    check(SERVICE_ALERT_DYING, 1, 0);
    after(29 * USEC_PER_SEC, ACCEPT_YES);
    check(SERVICE_ALERT_DYING, 1, 0);
    ck_assert_uint_eq(after(USEC_PER_SEC, ACCEPT_YES), USEC_INFINITY);
    check(SERVICE_ALERT_DYING, 1, 1);
    ck_assert_uint_eq(alerts_worst(service, SERVICE_ALERT_DYING), 5);
    ck_assert_uint_eq(service->alerts.deaths.n, 0);
}
END_TEST

START_TEST(test_a_row_lasts_while_none_can_be_started)
{
    struct pool *pool = service->pool;

    die(3);
    pool->n_failed_starts = 3;
    unsigned n_ready = pool->n_ready;
    pool->n_ready = 0;
    ck_assert_uint_eq(after(0, ACCEPT_NO_PLACE), USEC_INFINITY);
    after(3600 * USEC_PER_SEC, ACCEPT_NO_PLACE);
    check(SERVICE_ALERT_DYING, 1, 0);
    pool->n_ready = n_ready;
    pool->n_starting = 1;
    ck_assert_uint_eq(after(0, ACCEPT_YES), USEC_INFINITY);
    pool->n_starting = 0;
    ck_assert_uint_eq(after(0, ACCEPT_YES), now + 30 * USEC_PER_SEC);
    after(30 * USEC_PER_SEC, ACCEPT_YES);
    check(SERVICE_ALERT_DYING, 1, 1);
}
END_TEST

START_TEST(test_unreachable_as_long_as_a_socket_is_missing)
{
    service->reach.n_lost = 1;
    ck_assert_uint_eq(after(0, ACCEPT_YES), USEC_INFINITY);
    after(3600 * USEC_PER_SEC, ACCEPT_YES);
    check(SERVICE_ALERT_UNREACHABLE, 1, 0);
    reach_restored(&service->reach);
    ck_assert_uint_eq(after(0, ACCEPT_YES), USEC_INFINITY);
    check(SERVICE_ALERT_UNREACHABLE, 1, 1);
}
END_TEST

static void refuse(unsigned n, enum statistics_rejection reason)
{
    for (unsigned i = 0; i < n; i++) {
        rejection_run_note(&service->rejections, reason, "mappings:3");
        after(USEC_PER_SEC, ACCEPT_YES);
    }
}

static void admit(void)
{
    rejection_run_end(&service->rejections);
    after(USEC_PER_SEC, ACCEPT_YES);
}

START_TEST(test_a_service_that_admits_nobody_from_the_start)
{
    refuse(REJECTION_RUN_SUSPICIOUS - 1, REJECTED_BY_MAPPING);
    check(SERVICE_ALERT_REFUSING, 0, 0);
    refuse(1, REJECTED_BY_MAPPING);
    check(SERVICE_ALERT_REFUSING, 1, 0);
    check_described_as(SERVICE_ALERT_REFUSING,
                       "rejects every client: 20 clients in a row, the last by PORT_ACCESS "
                       "(mappings:3)");
    /* Once, whatever follows, and for whatever reason. */
    refuse(REJECTION_RUN_UNUSUAL, REJECTED_BY_THROTTLE);
    check(SERVICE_ALERT_REFUSING, 1, 0);
    admit();
    check(SERVICE_ALERT_REFUSING, 1, 1);
    ck_assert_uint_eq(alerts_worst(service, SERVICE_ALERT_REFUSING),
                      REJECTION_RUN_SUSPICIOUS + REJECTION_RUN_UNUSUAL);
}
END_TEST

/* Where most of those who come are refused, as on the Internet, that is no news; a fault of the
 * proxy is, and so are rules that are new. */
START_TEST(test_a_service_that_has_admitted_others)
{
    admit();
    refuse(REJECTION_RUN_UNUSUAL - 1, REJECTED_BY_DNS_LIST);
    refuse(REJECTION_RUN_UNUSUAL - 1, REJECTED_FOR_ADDRESS);
    check(SERVICE_ALERT_REFUSING, 0, 0);
    refuse(1, REJECTED_FOR_ADDRESS);
    check(SERVICE_ALERT_REFUSING, 1, 0);
    admit();
    refuse(REJECTION_RUN_SUSPICIOUS, REJECTED_FOR_PROXY_HEADER);
    check(SERVICE_ALERT_REFUSING, 2, 1);
    admit();
    refuse(REJECTION_RUN_SUSPICIOUS, REJECTED_BY_THROTTLE);
    check(SERVICE_ALERT_REFUSING, 2, 2);
    rejection_run_set_rules(&service->rejections);
    refuse(REJECTION_RUN_SUSPICIOUS, REJECTED_BY_THROTTLE);
    check(SERVICE_ALERT_REFUSING, 3, 2);
    /* Other rules alone admit nobody. */
    rejection_run_set_rules(&service->rejections);
    after(USEC_PER_SEC, ACCEPT_YES);
    check(SERVICE_ALERT_REFUSING, 3, 2);
    admit();
    check(SERVICE_ALERT_REFUSING, 3, 3);
}
END_TEST

START_TEST(test_refusals_with_others_in_between_are_no_row)
{
    for (unsigned i = 0; i < REJECTION_RUN_UNUSUAL; i++) {
        refuse(REJECTION_RUN_SUSPICIOUS - 1, REJECTED_FOR_PROXY_HEADER);
        admit();
    }
    refuse(REJECTION_RUN_UNUSUAL, REJECTED_FOR_SHUTDOWN);
    check(SERVICE_ALERT_REFUSING, 0, 0);
}
END_TEST

START_TEST(test_a_stop_ends_all)
{
    serve(PLACES);
    service->reach.n_lost = 1;
    service->backends.n_in_trouble = 1;
    strcpy(service->certificate.fault, "no such file");
    die(3);
    alerts_note_wait(&service->alerts, now, now + 5 * USEC_PER_SEC);
    for (unsigned i = 0; i < REJECTION_RUN_SUSPICIOUS; i++)
        rejection_run_note(&service->rejections, REJECTED_BY_MAPPING, NULL);
    after(5 * USEC_PER_SEC, ACCEPT_NO_PLACE);
    for (enum service_alert alert = 0; alert < N_SERVICE_ALERTS; alert++)
        check(alert, 1, 0);
    service->pool->is_stopping = true;
    ck_assert_uint_eq(after(0, ACCEPT_STOPPING), USEC_INFINITY);
    for (enum service_alert alert = 0; alert < N_SERVICE_ALERTS; alert++)
        check(alert, 1, 1);
    after(USEC_PER_SEC, ACCEPT_STOPPING);
    for (enum service_alert alert = 0; alert < N_SERVICE_ALERTS; alert++)
        check(alert, 1, 1);
    serve(0);
}
END_TEST

/* Whatever happens, warnings and notices take turns, and in the end all is over. */
START_TEST(test_random_lives)
{
    struct random_source source = random_start();

    for (unsigned i = 0; i < 20000; i++) {
        bool is_full = random_between(&source, 0, 1);

        serve(is_full ? PLACES : (unsigned)random_between(&source, 0, PLACES - 1));
        if (random_between(&source, 0, 9) == 0)
            alerts_note_wait(&service->alerts, now,
                             now + random_between(&source, 0, 3 * USEC_PER_SEC));
        if (random_between(&source, 0, 9) == 0)
            die(service->alerts.deaths.n + 1);
        service->reach.n_lost = random_between(&source, 0, 9) == 0;
        service->backends.n_in_trouble = random_between(&source, 0, 9) == 0;
        strcpy(service->certificate.fault, random_between(&source, 0, 9) == 0 ? "expired" : "");
        if (random_between(&source, 0, 29) == 0)
            rejection_run_end(&service->rejections);
        else
            rejection_run_note(&service->rejections, REJECTED_FOR_PROXY_HEADER, NULL);
        service->pool->is_stopping = random_between(&source, 0, 99) == 0;
        after(random_between(&source, 0, 12 * USEC_PER_SEC),
              is_full ? ACCEPT_NO_PLACE : ACCEPT_YES);
        for (enum service_alert alert = 0; alert < N_SERVICE_ALERTS; alert++) {
            ck_assert_uint_le(told[alert].n_raised - told[alert].n_cleared, 1);
            check(alert, told[alert].n_raised, told[alert].n_cleared);
        }
    }
    service->pool->is_stopping = false;
    service->reach.n_lost = 0;
    service->backends.n_in_trouble = 0;
    service->certificate.fault[0] = '\0';
    rejection_run_end(&service->rejections);
    serve(0);
    while (after(0, ACCEPT_YES) != USEC_INFINITY)
        now = alerts_tell(service, ACCEPT_YES, now);
    for (enum service_alert alert = 0; alert < N_SERVICE_ALERTS; alert++) {
        ck_assert_uint_gt(told[alert].n_raised, 10);
        check(alert, told[alert].n_raised, told[alert].n_raised);
    }
}
END_TEST

Suite *make_suite(void)
{
    const TTest *const tests[] = {
        test_nothing_is_due_while_all_is_well,
        test_full_until_a_tenth_is_free_for_a_while,
        test_a_crowd_that_is_served_at_once_was_one,
        test_what_is_full_no_more_does_not_say_so,
        test_a_pool_without_a_ready_worker_is_not_full,
        test_a_client_that_waits_here,
        test_a_client_that_waits_in_the_kernel,
        test_waits_before_we_were_there_do_not_count,
        test_deaths_in_a_row,
        test_a_row_lasts_while_none_can_be_started,
        test_unreachable_as_long_as_a_socket_is_missing,
        test_a_service_that_admits_nobody_from_the_start,
        test_a_service_that_has_admitted_others,
        test_refusals_with_others_in_between_are_no_row,
        test_a_stop_ends_all,
        test_random_lives,
    };
    Suite *suite = suite_create("alerts");
    TCase *tcase = tcase_create("alerts");

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    for (size_t i = 0; i < ELEMENTSOF(tests); i++)
        tcase_add_test(tcase, tests[i]);
    suite_add_tcase(suite, tcase);
    return suite;
}
