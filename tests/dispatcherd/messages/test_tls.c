/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/control_scene.h"
#include "support/suite.h"

#include "base/time.h"
#include "dispatcherd/alerts/alert_watch.h"
#include "dispatcherd/core/completion.h"
#include "dispatcherd/messages/tls.h"
#include "protocol/connection_id.h"

#include <stdalign.h>
#include <stdio.h>
#include <string.h>

#define DAY 86400

static const char configuration[] =
    "[SERVICE=SMTP]\nIMAGE=/bin/true\nPORT=2525\n"
    "MIN_PROCS=1\nMAX_PROCS=5\nMAX_CONNS=10\nHISTORICAL_TIME=3600\n";

static struct control_scene scene;
static struct service *service;
static uint64_t now;

static void set_up(void)
{
    scene_init(&scene, configuration);
    service = scene.services[0];
    now = time_now_usec(CLOCK_MONOTONIC);
}

static void tear_down(void)
{
    scene_clear(&scene);
}

/* A message of "NAME=value" strings, ended by NULL. */
static struct message make(enum message_type type, const char *const texts[])
{
    static alignas(8) char bytes[1024];
    struct message_text text = message_text_start(bytes, sizeof(bytes), type);
    struct message message;
    char name[64];

    for (size_t i = 0; texts[i]; i++) {
        snprintf(name, sizeof(name), "%.*s", (int)strcspn(texts[i], "="), texts[i]);
        message_text_add(&text, name, strchr(texts[i], '=') + 1);
    }
    ck_assert_int_eq(message_read(bytes, text.length, &message), 0);
    return message;
}

#define TAKE(worker, ...)                                                                          \
    do {                                                                                           \
        struct message message_ = make(MESSAGE_TLS, (const char *const[]){__VA_ARGS__, NULL});     \
        ck_assert(tls_take(worker, &message_));                                                    \
    } while (0)

static enum certificate_verdict take_certificate(struct worker *worker, int64_t expires_in_sec,
                                                 const char *sha256, const char *fault)
{
    char expires[64], digest[64], text[128];

    snprintf(expires, sizeof(expires), "EXPIRES=%lld",
             (long long)time(NULL) + (long long)expires_in_sec);
    snprintf(digest, sizeof(digest), "SHA256=%s", sha256);
    snprintf(text, sizeof(text), "TEXT=%s", fault ? fault : "");
    const char *const texts[] = {expires, digest, fault ? text : NULL, NULL};
    struct message message = make(MESSAGE_CERTIFICATE, texts);
    return certificate_take(worker, &message);
}

static bool is_raised(void)
{
    (void)alerts_tell(service, ACCEPT_YES, now += USEC_PER_SEC);
    return service->alerts.of[SERVICE_ALERT_CERTIFICATE].is_raised;
}

START_TEST(test_a_connection_has_what_its_worker_reports)
{
    struct worker *worker = scene_add_worker(&scene, 0, 0, 100);
    struct connection *connection = scene_add_connection(&scene, 0, worker);
    char id[64], text[CONNECTION_ID_BYTES];

    snprintf(id, sizeof(id), "CONNECTION=%s", connection_id_format(connection->id, text));
    TAKE(worker, id, "PROTOCOL=TLSv1.3", "CIPHER=TLS_AES_256_GCM_SHA384", "SUBJECT=CN=\033[2Jx",
         "SHA256=ab");
    ck_assert_str_eq(connection->tls->protocol, "TLSv1.3");
    ck_assert_str_eq(connection->tls->cipher, "TLS_AES_256_GCM_SHA384");
    ck_assert_str_eq(connection->tls->subject, "CN=?[2Jx");
    ck_assert_str_eq(connection->tls->sha256, "ab");
    ck_assert_uint_eq(service->statistics->n_tls, 1);
    /* To a successor it is reported again. */
    TAKE(worker, id, "PROTOCOL=TLSv1.3", "CIPHER=X");
    ck_assert_uint_eq(service->statistics->n_tls, 1);
}
END_TEST

START_TEST(test_what_a_predecessor_has_counted_is_not_counted_again)
{
    struct worker *worker = scene_add_worker(&scene, 0, 0, 100);
    struct connection *connection = scene_add_connection(&scene, 0, worker);
    char id[64], text[CONNECTION_ID_BYTES];

    snprintf(id, sizeof(id), "CONNECTION=%s", connection_id_format(connection->id, text));
    connection->is_adopted = true;
    TAKE(worker, id, "PROTOCOL=TLSv1.3", "CIPHER=X");
    ck_assert_str_eq(connection->tls->protocol, "TLSv1.3");
    ck_assert_uint_eq(service->statistics->n_tls, 0);
}
END_TEST

START_TEST(test_the_report_may_come_after_the_end)
{
    struct worker *worker = scene_add_worker(&scene, 0, 0, 100);
    struct connection *connection = scene_add_connection(&scene, 0, worker);
    char id[64], text[CONNECTION_ID_BYTES];

    snprintf(id, sizeof(id), "CONNECTION=%s", connection_id_format(connection->id, text));
    completion_end(connection, HISTORY_ENDED, now);
    TAKE(worker, id, "PROTOCOL=TLSv1.2", "CIPHER=X");
    const struct history_connection *ended =
        history_connection(&service->state->history, 0, USEC_INFINITY / 2, now);
    ck_assert_ptr_nonnull(ended);
    ck_assert_str_eq(ended->tls.protocol, "TLSv1.2");
    ck_assert_uint_eq(service->statistics->n_tls, 1);
    TAKE(worker, "CONNECTION=0000000000000001", "PROTOCOL=TLSv1.2"); /* of nobody */
    ck_assert_uint_eq(service->statistics->n_tls, 2);
}
END_TEST

START_TEST(test_failures_are_counted_by_reason)
{
    struct worker *worker = scene_add_worker(&scene, 0, 0, 100);

    TAKE(worker, "FAILED_timeout=3", "FAILED_plain_text=1", "FAILED_unheard_of=7");
    TAKE(worker, "FAILED_timeout=2", "FAILED_error=x");
    ck_assert_uint_eq(service->statistics->n_tls_failed[TLS_FAILURE_TIMEOUT], 5);
    ck_assert_uint_eq(service->statistics->n_tls_failed[TLS_FAILURE_PLAIN_TEXT], 1);
    ck_assert_uint_eq(statistics_tls_failed(service->statistics), 6);
}
END_TEST

START_TEST(test_a_certificate_that_expires_soon_is_an_alert)
{
    struct worker *worker = scene_add_worker(&scene, 0, 0, 100);

    ck_assert(!is_raised());
    ck_assert_int_eq(take_certificate(worker, 15 * DAY, "a", NULL), CERTIFICATE_TAKEN);
    ck_assert(!is_raised());
    uint64_t due = certificate_bad_at(service, now);
    ck_assert_uint_ge(due, now + (DAY - 10) * USEC_PER_SEC);
    ck_assert_uint_le(due, now + (DAY + 10) * USEC_PER_SEC);
    ck_assert_int_eq(take_certificate(worker, 13 * DAY, "a", NULL), CERTIFICATE_TAKEN);
    ck_assert(is_raised());
    ck_assert_int_eq(take_certificate(worker, 90 * DAY, "b", NULL), CERTIFICATE_TAKEN);
    ck_assert(!is_raised());
}
END_TEST

START_TEST(test_a_worker_may_name_any_time)
{
    struct worker *worker = scene_add_worker(&scene, 0, 0, 100);
    struct message message =
        make(MESSAGE_CERTIFICATE, (const char *const[]){"EXPIRES=9223372036854775807", NULL});

    ck_assert_int_eq(certificate_take(worker, &message), CERTIFICATE_TAKEN);
    ck_assert(!is_raised());
    ck_assert_uint_gt(certificate_bad_at(service, now), now + 365 * DAY * USEC_PER_SEC);
    message =
        make(MESSAGE_CERTIFICATE, (const char *const[]){"EXPIRES=-9223372036854775808", NULL});
    ck_assert_int_eq(certificate_take(worker, &message), CERTIFICATE_TAKEN);
    ck_assert(is_raised());
    ck_assert_int_eq(service->certificate.expires_at, 0);
}
END_TEST

START_TEST(test_a_fault_is_an_alert_until_one_is_good)
{
    struct worker *old = scene_add_worker(&scene, 0, 0, 100);

    ck_assert_int_eq(take_certificate(old, 90 * DAY, "a", NULL), CERTIFICATE_TAKEN);
    struct worker *young = scene_add_worker(&scene, 0, 1, 101);
    ck_assert_int_eq(take_certificate(young, 0, "", "broken"), CERTIFICATE_TAKEN);
    ck_assert(is_raised());
    ck_assert(!service->pool->workers[0].is_outdated);
    ck_assert_int_eq(take_certificate(young, 90 * DAY, "b", NULL), CERTIFICATE_TAKEN);
    ck_assert(!is_raised());
}
END_TEST

START_TEST(test_another_certificate_outdates_older_workers)
{
    struct worker *workers[3];

    for (unsigned i = 0; i < 3; i++)
        workers[i] = scene_add_worker(&scene, 0, i, 100 + (int)i);
    take_certificate(workers[0], 90 * DAY, "a", NULL);
    take_certificate(workers[1], 90 * DAY, "a", NULL);
    ck_assert(!service->pool->workers[0].is_outdated);
    take_certificate(workers[2], 90 * DAY, "b", NULL);
    ck_assert(service->pool->workers[0].is_outdated);
    ck_assert(service->pool->workers[1].is_outdated);
    ck_assert(!service->pool->workers[2].is_outdated);
    /* An older one that says again what it shows, to a successor, changes nothing. */
    take_certificate(workers[1], 90 * DAY, "a", NULL);
    ck_assert(!service->pool->workers[2].is_outdated);
    ck_assert_str_eq(service->certificate.sha256, "b");
}
END_TEST

START_TEST(test_looking_again_replaces_the_oldest)
{
    certificate_look_again(service);
    ck_assert(!service->pool->wants_start);
    for (unsigned i = 0; i < 2; i++)
        take_certificate(scene_add_worker(&scene, 0, i, 100 + (int)i), 90 * DAY, "a", NULL);
    certificate_look_again(service);
    ck_assert(service->pool->workers[0].is_outdated);
    ck_assert(!service->pool->workers[1].is_outdated);
    ck_assert(service->pool->wants_start);
}
END_TEST

START_TEST(test_an_expired_one_replaces_no_better_one)
{
    struct worker *alone = scene_add_worker(&scene, 0, 0, 100);

    /* Better than nobody. */
    alone->state = WORKER_WELCOMED;
    ck_assert_int_eq(take_certificate(alone, -DAY, "old", NULL), CERTIFICATE_TAKEN);
    alone->state = WORKER_READY;
    ck_assert(is_raised());
    take_certificate(alone, 90 * DAY, "a", NULL);
    struct worker *young = scene_add_worker(&scene, 0, 1, 101);
    young->state = WORKER_WELCOMED;
    ck_assert_int_eq(take_certificate(young, -DAY, "old", NULL), CERTIFICATE_EXPIRED);
    ck_assert(is_raised());
    young->state = WORKER_STARTING;
    ck_assert_int_eq(take_certificate(young, 90 * DAY, "b", NULL), CERTIFICATE_UNTIMELY);
    struct message message = make(MESSAGE_TLS, (const char *const[]){"FAILED_timeout=1", NULL});
    ck_assert(!tls_take(young, &message));
    young->state = WORKER_READY;
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("tls");
    TCase *tcase = tcase_create("tls");
    const TTest *const tests[] = {
        test_a_connection_has_what_its_worker_reports,
        test_what_a_predecessor_has_counted_is_not_counted_again,
        test_the_report_may_come_after_the_end,
        test_failures_are_counted_by_reason,
        test_a_certificate_that_expires_soon_is_an_alert,
        test_a_worker_may_name_any_time,
        test_a_fault_is_an_alert_until_one_is_good,
        test_another_certificate_outdates_older_workers,
        test_looking_again_replaces_the_oldest,
        test_an_expired_one_replaces_no_better_one,
    };

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
        tcase_add_test(tcase, tests[i]);
    suite_add_tcase(suite, tcase);
    return suite;
}
