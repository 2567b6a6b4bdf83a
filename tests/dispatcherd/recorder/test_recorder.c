/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/recorder/recorder.h"
#include "recording/recording.h"
#include "support/suite.h"

#include "base/time.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/test_recorder.XXXXXX";
static char path[64];
static sd_event *event;
static struct recorder *recorder;
static struct recorded_state state;
static struct recording recording;

static const struct service_options options = {
    .name = (char *)"Smtp", .max_procs = 5, .max_conns = 10, .max_life_time_sec = 60};

static void begin(void)
{
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/recording", folder);
    ck_assert_int_ge(sd_event_new(&event), 0);
    state = (struct recorded_state){0};
    ck_assert_int_eq(recorder_new(event, path, &recorder), 0);
}

static void end(void)
{
    recording_clear(&recording);
    sd_event_unref(event);
    (void)unlink(path);
    (void)rmdir(folder);
    strcpy(strrchr(folder, '.'), ".XXXXXX");
}

/* Ends the recorder, which writes what it has, and reads that. */
static const struct recorded_service *read_back(void)
{
    static uint8_t bytes[1 << 20];
    FILE *stream;

    recorder_free(recorder);
    stream = fopen(path, "re");
    ck_assert_ptr_nonnull(stream);
    size_t size = fread(bytes, 1, sizeof(bytes), stream);
    fclose(stream);
    ck_assert_int_eq(recording_parse(bytes, size, &recording), 0);
    return recording_find(&recording, "SMTP");
}

static void add(const char *peer, uint64_t at)
{
    const struct record_connection facts = {.session_usec = 5, .was_handed = true};
    struct address address;

    ck_assert_int_eq(address_parse(peer, &address), 0);
    recorder_add_connection(recorder, &state, &options, at, &address, &facts);
}

START_TEST(test_clients_are_told_apart_but_not_known)
{
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);

    add("192.0.2.1", now);
    add("192.0.2.1", now + 1);
    add("192.0.2.2", now + 2);
    add("198.51.100.1", now + 3);
    add("2001:db8:0:1::1", now + 4);
    add("2001:db8:0:1::2", now + 5);
    add("2001:db8:0:2::1", now + 6);
    const struct recorded_service *service = read_back();
    ck_assert_uint_eq(service->n_connections, 7);
    uint64_t clients[7];
    for (size_t i = 0; i < 7; i++)
        clients[i] = service->connections[i].facts.client;
    ck_assert_uint_eq(clients[0], clients[1]);
    ck_assert_uint_ne(clients[0], clients[2]);
    ck_assert_uint_eq(clients[0] >> 16, clients[2] >> 16);
    ck_assert_uint_ne(clients[0] >> 16, clients[3] >> 16);
    /* An IPv6 /64 is one source. */
    ck_assert_uint_eq(clients[4], clients[5]);
    ck_assert_uint_ne(clients[4], clients[6]);
    ck_assert_uint_eq(clients[4] >> 16, clients[6] >> 16);
}
END_TEST

START_TEST(test_another_recording_has_other_hashes)
{
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);

    add("192.0.2.1", now);
    recorder_free(recorder);
    ck_assert_int_eq(recorder_new(event, path, &recorder), 0);
    add("192.0.2.1", now + 1);
    const struct recorded_service *service = read_back();
    ck_assert_uint_eq(service->n_connections, 2);
    ck_assert_uint_ne(service->connections[0].facts.client, service->connections[1].facts.client);
    ck_assert_uint_eq(recording.n_begun, 2);
    ck_assert_uint_eq(service->n_options, 2);
}
END_TEST

START_TEST(test_a_pool_is_recorded_if_it_changes)
{
    static struct pool pool;
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);

    for (unsigned i = 0; i < 3; i++)
        recorder_look_at_pool(recorder, &state, &options, &pool, now);
    pool_worker_started(&pool, 0, now);
    recorder_look_at_pool(recorder, &state, &options, &pool, now + 10);
    pool_worker_ready(&pool, 0, 10, now + 20);
    recorder_add_ready(recorder, &state, &options, 10, now + 20);
    recorder_look_at_pool(recorder, &state, &options, &pool, now + 20);
    recorder_add_exit(recorder, &state, &options, &pool.workers[0], now + 30, REASON_AGE, now + 35);
    const struct recorded_service *service = read_back();
    ck_assert_str_eq(service->name, "Smtp");
    ck_assert_uint_eq(service->n_options, 1);
    ck_assert_uint_eq(service->options[0].options.max_life_sec, 60);
    ck_assert_uint_eq(service->n_pools, 3);
    ck_assert_uint_eq(service->pools[1].pool.n_starting, 1);
    ck_assert_uint_eq(service->pools[2].pool.n_ready, 1);
    ck_assert_uint_eq(service->starts[0].facts.usec, 10);
    ck_assert_uint_eq(service->exits[0].facts.exit_usec, 5);
    ck_assert_uint_eq(service->exits[0].facts.usec, 35);
    ck_assert_uint_eq(service->exits[0].facts.reason, REASON_AGE);
}
END_TEST

START_TEST(test_memory_is_recorded)
{
    const struct record_memory memory = {.n_workers = 1, .n_in_pool = 1, .kib = 7};
    static struct pool pool;
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);

    pool_worker_started(&pool, 0, now);
    pool_worker_ready(&pool, 0, 100, now);
    ck_assert_uint_eq(recorder_memory_due(recorder, &state, &pool, now), now);
    recorder_add_memory(recorder, &state, &options, &pool, &memory, now);
    ck_assert_uint_eq(recorder_memory_due(recorder, &state, &pool, now), USEC_INFINITY);
    /* A ring that may have lost the service gets all of it anew. */
    recorder_describe_again(recorder);
    ck_assert_uint_eq(recorder_memory_due(recorder, &state, &pool, now), now);
    const struct recorded_service *service = read_back();
    ck_assert_uint_eq(service->n_memories, 1);
    ck_assert_uint_eq(service->memories[0].memory.kib, 7);
}
END_TEST

START_TEST(test_a_look_in_vain_is_not_repeated)
{
    const struct record_memory nothing = {.n_in_pool = 1};
    static struct pool pool;
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);

    pool_worker_started(&pool, 0, now);
    pool_worker_ready(&pool, 0, 100, now);
    recorder_add_memory(recorder, &state, &options, &pool, &nothing, now);
    ck_assert_uint_eq(recorder_memory_due(recorder, &state, &pool, now), USEC_INFINITY);
    ck_assert_uint_eq(read_back()->n_memories, 0);
}
END_TEST

START_TEST(test_new_options_are_recorded)
{
    struct service_options changed = options;
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);

    add("192.0.2.1", now);
    changed.max_procs = 9;
    recorder_describe_again(recorder);
    recorder_add_ready(recorder, &state, &changed, 10, now + 1);
    const struct recorded_service *service = read_back();
    ck_assert_uint_eq(service->n_options, 2);
    ck_assert_uint_eq(service->options[1].options.max_procs, 9);
}
END_TEST

START_TEST(test_what_has_no_room_is_counted)
{
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);

    /* The loop, which would write them, does not run. */
    for (unsigned i = 0; i < 70000; i++)
        add("192.0.2.1", now + i);
    recorder_free(recorder);
    struct stat st;
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_int_eq(st.st_size, RECORD_BYTES * (1 + 1 + 65536));
}
END_TEST

START_TEST(test_without_a_recorder_nothing_happens)
{
    struct pool *none = NULL;

    recorder_free(recorder);
    recorder = NULL;
    add("192.0.2.1", 1);
    recorder_look_at_pool(recorder, &state, &options, none, 1);
    ck_assert_uint_eq(recorder_memory_due(recorder, &state, none, 1), USEC_INFINITY);
    recorder_describe_again(recorder);
    recorder_free(recorder);
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("recorder");
    TCase *tests = tcase_create("recorder");

    tcase_add_checked_fixture(tests, begin, end);
    tcase_add_test(tests, test_clients_are_told_apart_but_not_known);
    tcase_add_test(tests, test_another_recording_has_other_hashes);
    tcase_add_test(tests, test_a_pool_is_recorded_if_it_changes);
    tcase_add_test(tests, test_memory_is_recorded);
    tcase_add_test(tests, test_a_look_in_vain_is_not_repeated);
    tcase_add_test(tests, test_new_options_are_recorded);
    tcase_add_test(tests, test_what_has_no_room_is_counted);
    tcase_add_test(tests, test_without_a_recorder_nothing_happens);
    suite_add_tcase(suite, tests);
    return suite;
}
