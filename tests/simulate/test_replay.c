/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "simulate/measure.h"
#include "simulate/replay.h"
#include "statistics/history.h"
#include "support/random.h"
#include "support/suite.h"

#include "base/time.h"

#include <stdlib.h>

#define START    (UINT64_C(1790000000) * USEC_PER_SEC)
#define STARTING (10 * USEC_PER_MSEC) /* of a worker */

#define CONNECTIONS_MAX 1000

static struct recorded_connection connections[CONNECTIONS_MAX];
static struct recorded_options options;
static struct recorded_worker worker_start;
static struct recorded_service service;
static struct recording recording;
static struct course course;

/* A recording without connections: a worker that may have two at a time, one of which is started
 * before any client comes. */
static void begin(uint64_t length)
{
    options = (struct recorded_options){.at = START,
                                        .options = {.min_procs = 1,
                                                    .max_procs = 1,
                                                    .min_conns = 2,
                                                    .max_conns = 2,
                                                    .max_handoffs = 5,
                                                    .max_shutdown = 2}};
    worker_start = (struct recorded_worker){START, {.usec = STARTING}};
    service = (struct recorded_service){.name = "SMTP",
                                        .connections = connections,
                                        .options = &options,
                                        .n_options = 1,
                                        .starts = &worker_start,
                                        .n_starts = 1};
    recording = (struct recording){
        .services = &service, .n_services = 1, .from = START, .to = START + length};
}

static struct record_connection *add(uint64_t at, uint64_t client, uint64_t session_usec)
{
    struct recorded_connection *connection = &connections[service.n_connections++];

    *connection = (struct recorded_connection){
        START + at,
        {.client = client, .session_usec = session_usec, .end = HISTORY_ENDED, .was_handed = true}};
    return &connection->facts;
}

static void run(const char *text)
{
    const struct settings none = {0};
    char reason[SETTING_REASON_MAX];
    struct setting setting;

    if (text)
        ck_assert_int_eq(setting_parse(text, &setting, reason), 0);
    const struct settings one = {.items = &setting, .n_items = 1};
    course_clear(&course);
    ck_assert_int_eq(replay(&recording, &service, text ? &one : &none, &course), 0);
}

START_TEST(test_the_third_of_two_places_waits)
{
    begin(USEC_PER_SEC);
    for (unsigned i = 0; i < 3; i++)
        add(20 * USEC_PER_MSEC + i, i, 100 * USEC_PER_MSEC);
    run(NULL);
    ck_assert_uint_eq(course.n_arrived, 3);
    ck_assert_uint_eq(course.n_served, 3);
    ck_assert_uint_eq(course.workers_max, 1);
    ck_assert_uint_eq(course.n_started, 1);
    ck_assert_uint_eq(course_wait(&course, 0), 0);
    ck_assert_uint_eq(course_wait(&course, 1000), 100 * USEC_PER_MSEC - 2);

    ck_assert_uint_eq(course_waiting(&course), 0);

    /* With more workers it waits for a start. */
    run("MAX_PROCS=2");
    ck_assert_uint_eq(course.workers_max, 2);
    ck_assert_uint_eq(course.n_started, 2);
    ck_assert_uint_eq(course_wait(&course, 1000), STARTING - 1);

    /* With more places it does not. */
    run("MAX_CONNS=3");
    ck_assert_uint_eq(course_wait(&course, 1000), 0);
}
END_TEST

START_TEST(test_a_client_that_comes_before_the_worker_is_ready_waits)
{
    begin(USEC_PER_SEC);
    add(0, 1, 1);
    run(NULL);
    ck_assert_uint_eq(course_wait(&course, 1000), STARTING);
    ck_assert_double_eq(course_workers(&course), 1);
}
END_TEST

START_TEST(test_workers_are_recycled)
{
    begin(2 * USEC_PER_SEC);
    options.options.max_procs = 2;
    for (unsigned i = 0; i < 100; i++)
        add(20 * USEC_PER_MSEC * (i + 1), i, USEC_PER_MSEC);
    run("MAX_LIFE_CONNS=50");
    ck_assert_uint_eq(course.n_served, 100);
    ck_assert_uint_ge(course_recycled(&course), 1);
    run(NULL);
    ck_assert_uint_eq(course_recycled(&course), 0);
}
END_TEST

START_TEST(test_idle_workers_go)
{
    begin(10 * USEC_PER_SEC);
    options.options.max_procs = 4;
    options.options.max_idle_sec = 1;
    for (unsigned i = 0; i < 8; i++)
        add(20 * USEC_PER_MSEC, i, 200 * USEC_PER_MSEC);
    run(NULL);
    ck_assert_uint_gt(course.workers_max, 1);
    ck_assert_double_eq(course_workers_in(&course, COURSE_STEPS - 1), 1);
    ck_assert_uint_eq(course.n_retired[REASON_IDLE], course.n_started - 1);
}
END_TEST

START_TEST(test_limits_for_an_address_and_its_network)
{
    begin(USEC_PER_SEC);
    options.options.max_conns = 50;
    /* Two addresses of a network, and one of another one. */
    for (unsigned i = 0; i < 6; i++)
        add(20 * USEC_PER_MSEC + i, i % 2 + 1, 100 * USEC_PER_MSEC);
    add(20 * USEC_PER_MSEC + 6, UINT64_C(1) << 60, 100 * USEC_PER_MSEC);
    run(NULL);
    ck_assert_uint_eq(course.n_served, 7);
    run("MAX_CONNS_PER_ADDRESS=2");
    ck_assert_uint_eq(course.n_rejected[REJECTED_FOR_ADDRESS], 2);
    run("MAX_CONNS_PER_NETWORK=2");
    ck_assert_uint_eq(course.n_rejected[REJECTED_FOR_ADDRESS], 4);
    ck_assert_uint_eq(course.n_served, 3);
}
END_TEST

START_TEST(test_throttles)
{
    begin(USEC_PER_SEC);
    for (unsigned i = 0; i < 10; i++)
        add(20 * USEC_PER_MSEC * (i + 1), 5, USEC_PER_MSEC);
    run("THROTTLE=4");
    ck_assert_uint_eq(course.n_rejected[REJECTED_BY_THROTTLE], 6);
    run("THROTTLE=0");
    ck_assert_uint_eq(course.n_served, 10);
}
END_TEST

START_TEST(test_what_was_rejected_stays_so_unless_a_limit_did_it)
{
    begin(USEC_PER_SEC);
    struct record_connection *facts = add(20 * USEC_PER_MSEC, 1, 0);
    facts->end = HISTORY_REJECTED;
    facts->was_handed = false;
    static const unsigned stay[] = {REJECTED_BY_MAPPING, REJECTED_BY_DNS_LIST, REJECTED_BY_THROTTLE,
                                    REJECTED_FOR_PROXY_HEADER};
    for (size_t i = 0; i < 4; i++) {
        facts->rejection = (uint8_t)stay[i];
        run(NULL);
        ck_assert_uint_eq(course.n_rejected[stay[i]], 1);
    }
    facts->rejection = REJECTED_FOR_ADDRESS;
    run(NULL);
    ck_assert_uint_eq(course.n_served, 1);
    facts->rejection = REJECTED_BY_THROTTLE;
    run("THROTTLE=10");
    ck_assert_uint_eq(course.n_served, 1);
}
END_TEST

START_TEST(test_a_client_leaves_when_it_did_unless_it_is_served_before)
{
    begin(USEC_PER_SEC);
    for (unsigned i = 0; i < 2; i++)
        add(20 * USEC_PER_MSEC, i, 500 * USEC_PER_MSEC);
    struct record_connection *facts = add(30 * USEC_PER_MSEC, 3, 0);
    facts->end = HISTORY_GONE;
    facts->was_handed = false;
    facts->queued_usec = (uint32_t)(100 * USEC_PER_MSEC);
    run(NULL);
    ck_assert_uint_eq(course.n_left, 1);
    ck_assert_uint_eq(course.n_served, 2);
    run("MAX_CONNS=3");
    ck_assert_uint_eq(course.n_left, 0);
    ck_assert_uint_eq(course.n_served, 3);
}
END_TEST

static void add_impatient(uint64_t at, uint64_t patience)
{
    struct record_connection *facts = add(at, at, 0);

    facts->end = HISTORY_GONE;
    facts->was_handed = false;
    facts->queued_usec = (uint32_t)patience;
}

START_TEST(test_a_client_has_left_even_if_its_turn_never_comes)
{
    begin(USEC_PER_SEC);
    for (unsigned i = 0; i < 2; i++)
        add(20 * USEC_PER_MSEC, i, 5 * USEC_PER_SEC);
    add_impatient(30 * USEC_PER_MSEC, 100 * USEC_PER_MSEC);
    /* The span is over before this one has lost its patience. */
    add_impatient(40 * USEC_PER_MSEC, 970 * USEC_PER_MSEC);
    run(NULL);
    ck_assert_uint_eq(course.n_served, 2);
    ck_assert_uint_eq(course.n_left, 1);
    ck_assert_uint_eq(course_waiting(&course), 1);
}
END_TEST

START_TEST(test_clients_that_have_left_keep_no_place_from_others)
{
    begin(USEC_PER_SEC);
    worker_start.facts.usec = 500 * USEC_PER_MSEC;
    for (unsigned i = 0; i < 2; i++)
        add_impatient(i, 100 * USEC_PER_MSEC);
    /* It is accepted and checked before the worker is ready. */
    add(200 * USEC_PER_MSEC, 1, USEC_PER_MSEC)->checked_usec = (uint32_t)(100 * USEC_PER_MSEC);
    run(NULL);
    ck_assert_uint_eq(course.n_left, 2);
    ck_assert_uint_eq(course.n_served, 1);
    ck_assert_uint_eq(course_wait(&course, 1000), 200 * USEC_PER_MSEC);
}
END_TEST

START_TEST(test_a_client_leaves_while_it_is_checked)
{
    begin(USEC_PER_SEC);
    add_impatient(20 * USEC_PER_MSEC, 0);
    connections[0].facts.checked_usec = (uint32_t)(100 * USEC_PER_MSEC);
    add(20 * USEC_PER_MSEC, 1, USEC_PER_MSEC)->checked_usec = (uint32_t)(200 * USEC_PER_MSEC);
    run(NULL);
    ck_assert_uint_eq(course.n_left, 1);
    ck_assert_uint_eq(course.n_served, 1);
}
END_TEST

/* Whatever is recorded, the pool's own assertions hold, everybody is somewhere, and no more workers
 * are there than may be. */
START_TEST(test_random_recordings)
{
    struct random_source random = random_start();

    for (unsigned round = 0; round < 60; round++) {
        begin(20 * USEC_PER_SEC);
        options.options.min_procs = (uint16_t)random_between(&random, 0, 3);
        options.options.max_procs = (uint16_t)random_between(&random, 1, 8);
        options.options.min_conns = (uint16_t)random_between(&random, 1, 4);
        options.options.max_conns = (uint16_t)random_between(&random, 1, 6);
        options.options.max_life_conns = (uint32_t)random_between(&random, 0, 20);
        options.options.max_idle_sec = (uint32_t)random_between(&random, 0, 3);
        uint64_t at = 0;
        for (unsigned i = 0; i < 300; i++) {
            at += random_between(&random, 0, 50 * USEC_PER_MSEC);
            struct record_connection *facts =
                add(at, random_between(&random, 0, 20), random_between(&random, 0, USEC_PER_SEC));

            facts->checked_usec = (uint32_t)random_between(&random, 0, 3) * 1000;
            if (random_between(&random, 0, 4) == 0) {
                facts->end = HISTORY_GONE;
                facts->was_handed = false;
                facts->waited_usec = (uint32_t)random_between(&random, 0, USEC_PER_SEC);
            }
        }
        run("MAX_CONNS_PER_ADDRESS=3");
        ck_assert_uint_eq(course.n_arrived, 300);
        ck_assert_uint_le(course.n_served + course_rejected(&course) + course.n_left, 300);
        ck_assert_uint_le(course.workers_max, 8);
    }
}
END_TEST

/* A worker has 1000 KiB, and 200 for each session. */
static struct recorded_memory looks[] = {
    {START, {.n_workers = 1, .n_in_pool = 1, .kib = 1000}},
    {START + USEC_PER_SEC / 4, {.n_workers = 1, .n_in_pool = 1, .n_sessions = 2, .kib = 1400}},
    {START + USEC_PER_SEC / 2, {.n_workers = 1, .n_in_pool = 2, .n_sessions = 1, .kib = 1200}},
};

START_TEST(test_memory_follows_from_workers_and_sessions)
{
    begin(USEC_PER_SEC);
    /* The third one waits for one of the two places. */
    for (unsigned i = 0; i < 3; i++)
        add(20 * USEC_PER_MSEC, i, 100 * USEC_PER_MSEC);
    run(NULL);
    ck_assert_uint_eq(course.memory_usec, 0);
    service.memories = looks;
    service.n_memories = 3;
    run(NULL);
    ck_assert_double_eq_tol(course.kib_max, 1400, 1e-6);
    /* Not before it is ready; and for sessions of 300 ms together. */
    ck_assert_double_eq_tol(course_memory(&course), 1000 * 0.99 + 200 * 0.3, 1e-6);
    /* Two sessions in one worker, and one in another. */
    run("MAX_PROCS=2");
    ck_assert_double_eq_tol(course.kib_max, 2 * 1000 + 3 * 200, 1e-6);
    /* All three in one worker. */
    run("MAX_CONNS=3");
    ck_assert_double_eq_tol(course.kib_max, 1000 + 3 * 200, 1e-6);
}
END_TEST

START_TEST(test_memory_that_was_measured)
{
    begin(USEC_PER_SEC);
    service.memories = looks;
    service.n_memories = 3;
    ck_assert_int_eq(measure(&recording, &service, &course), 0);
    /* The last look saw one of two workers. */
    ck_assert_double_eq(course.kib_max, 2400);
    ck_assert_double_eq(course_memory(&course), (1000 + 1400 + 2 * 2400) / 4.0);
    course_clear(&course);
}
END_TEST

START_TEST(test_what_was_measured)
{
    static struct recorded_pool pools[] = {
        {START, {.n_ready = 1}}, {START + USEC_PER_SEC / 2, {.n_ready = 2, .n_draining = 1}}};

    begin(USEC_PER_SEC);
    service.pools = pools;
    service.n_pools = 2;
    add(0, 1, 10)->queued_usec = 5;
    add(1, 2, 10)->waited_usec = 7;
    struct record_connection *rejected = add(2, 3, 0);
    rejected->end = HISTORY_REJECTED;
    rejected->rejection = REJECTED_BY_DNS_LIST;
    rejected->was_handed = false;
    ck_assert_int_eq(measure(&recording, &service, &course), 0);
    ck_assert_uint_eq(course.n_arrived, 3);
    ck_assert_uint_eq(course.n_served, 2);
    ck_assert_uint_eq(course.n_rejected[REJECTED_BY_DNS_LIST], 1);
    ck_assert_uint_eq(course_wait(&course, 1000), 7);
    ck_assert_uint_eq(course.workers_max, 3);
    ck_assert_double_eq(course_workers(&course), 2);
    course_clear(&course);
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("replay");

    ADD_TESTS(suite, "replay", test_the_third_of_two_places_waits,
              test_a_client_that_comes_before_the_worker_is_ready_waits, test_workers_are_recycled,
              test_idle_workers_go, test_limits_for_an_address_and_its_network, test_throttles,
              test_what_was_rejected_stays_so_unless_a_limit_did_it,
              test_a_client_leaves_when_it_did_unless_it_is_served_before,
              test_a_client_has_left_even_if_its_turn_never_comes,
              test_clients_that_have_left_keep_no_place_from_others,
              test_a_client_leaves_while_it_is_checked, test_random_recordings,
              test_memory_follows_from_workers_and_sessions, test_memory_that_was_measured,
              test_what_was_measured);
    return suite;
}
