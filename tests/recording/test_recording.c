/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "recording/recording.h"
#include "support/suite.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NOW UINT64_C(1790000000000000)

/* A file with a ring of SLOTS records. */
#define SLOTS 8

static uint8_t bytes[RECORD_BYTES * (SLOTS + 1)];
static uint64_t sequence;
static struct recording recording;

static void begin_file(void)
{
    memset(bytes, 0, sizeof(bytes));
    record_header_encode(SLOTS, bytes);
    sequence = 0;
}

static void add(struct record record)
{
    record.sequence = ++sequence;
    record_encode(&record, bytes + RECORD_BYTES * (1 + (sequence - 1) % SLOTS));
}

static void add_service(const char *name)
{
    uint32_t hash = record_service_hash(name);
    struct record record = {.kind = RECORD_SERVICE, .service = hash, .at = NOW};

    strncpy(record.name, name, RECORD_NAME_MAX);
    add(record);
    add((struct record){.kind = RECORD_OPTIONS,
                        .service = hash,
                        .at = NOW,
                        .options = {.max_procs = 5, .max_conns = 10}});
}

static void add_connection(const char *name, uint64_t at, uint64_t session_usec)
{
    add((struct record){.kind = RECORD_CONNECTION,
                        .service = record_service_hash(name),
                        .at = at,
                        .connection = {.session_usec = session_usec, .was_handed = true}});
}

static int parse(size_t size)
{
    return recording_parse(bytes, size, &recording);
}

START_TEST(test_what_came_first_comes_first)
{
    begin_file();
    add((struct record){.kind = RECORD_BEGIN, .at = NOW});
    add_service("SMTP");
    add_connection("SMTP", NOW + 20, 100);
    add_connection("smtp", NOW + 10, 1000);
    ck_assert_int_eq(parse(sizeof(bytes)), 0);
    ck_assert_uint_eq(recording.n_services, 1);
    const struct recorded_service *service = recording_find(&recording, "smtp");
    ck_assert_ptr_nonnull(service);
    ck_assert_str_eq(service->name, "SMTP");
    ck_assert_uint_eq(service->n_connections, 2);
    ck_assert_uint_eq(service->connections[0].at, NOW + 10);
    ck_assert_uint_eq(service->options[0].options.max_procs, 5);
    ck_assert_uint_eq(recording.from, NOW);
    ck_assert_uint_eq(recording.to, NOW + 1010);
    ck_assert_uint_eq(recording.n_begun, 1);
    ck_assert(!recording.has_wrapped);
    recording_clear(&recording);
}
END_TEST

START_TEST(test_the_oldest_are_overwritten)
{
    begin_file();
    for (unsigned i = 0; i < 2 * SLOTS; i++)
        add_connection("SMTP", NOW + i, 0);
    add_service("SMTP");
    ck_assert_int_eq(parse(sizeof(bytes)), 0);
    ck_assert_uint_eq(recording.services[0].n_connections, SLOTS - 2);
    ck_assert_uint_eq(recording.services[0].connections[0].at, NOW + SLOTS + 2);
    ck_assert_uint_eq(recording.from, NOW + SLOTS + 2);
    ck_assert(recording.has_wrapped);
    recording_clear(&recording);
}
END_TEST

START_TEST(test_what_is_broken_or_in_a_wrong_place_is_left_out)
{
    begin_file();
    add_service("SMTP");
    add_connection("SMTP", NOW + 1, 0);
    add_connection("SMTP", NOW + 2, 0);
    bytes[RECORD_BYTES * 3 + 40] ^= 1;
    memcpy(bytes + RECORD_BYTES * 6, bytes + RECORD_BYTES * 4, RECORD_BYTES);
    ck_assert_int_eq(parse(sizeof(bytes)), 0);
    ck_assert_uint_eq(recording.services[0].n_connections, 1);
    ck_assert_uint_eq(recording.services[0].connections[0].at, NOW + 2);
    recording_clear(&recording);
}
END_TEST

START_TEST(test_a_file_may_be_cut_off)
{
    begin_file();
    add_service("SMTP");
    add_connection("SMTP", NOW + 1, 0);
    ck_assert_int_eq(parse(RECORD_BYTES * 4 - 1), 0);
    ck_assert_uint_eq(recording.services[0].n_connections, 0);
    recording_clear(&recording);
    ck_assert_int_eq(parse(RECORD_BYTES * 2), -ENODATA);
    ck_assert_int_eq(parse(RECORD_BYTES), -ENODATA);
    ck_assert_int_eq(parse(RECORD_BYTES - 1), -EBADMSG);
    ck_assert_int_eq(parse(0), -EBADMSG);
}
END_TEST

START_TEST(test_services_without_name_or_options_are_left_out)
{
    begin_file();
    add_service("SMTP");
    add((struct record){
        .kind = RECORD_SERVICE, .service = record_service_hash("IMAP"), .at = NOW, .name = "IMAP"});
    add((struct record){.kind = RECORD_SERVICE, .service = 99, .at = NOW, .name = "POP"});
    add((struct record){.kind = RECORD_OPTIONS, .service = 99, .at = NOW});
    ck_assert_int_eq(parse(sizeof(bytes)), 0);
    ck_assert_uint_eq(recording.n_services, 1);
    ck_assert_ptr_null(recording_find(&recording, "IMAP"));
    recording_clear(&recording);
}
END_TEST

static void add_memory(uint64_t at, uint64_t kib)
{
    add((struct record){.kind = RECORD_MEMORY,
                        .service = record_service_hash("SMTP"),
                        .at = at,
                        .memory = {.n_workers = 1, .n_in_pool = 1, .kib = kib}});
}

START_TEST(test_memory_is_found_unless_it_is_absurd)
{
    begin_file();
    add_service("SMTP");
    add_memory(NOW + 2, 200);
    add_memory(NOW + 1, 100);
    add_memory(NOW + 3, UINT64_MAX);
    ck_assert_int_eq(parse(sizeof(bytes)), 0);
    const struct recorded_service *service = recording_find(&recording, "smtp");
    ck_assert_uint_eq(service->n_memories, 2);
    ck_assert_uint_eq(service->memories[0].memory.kib, 100);
    ck_assert_uint_eq(service->memories[1].at, NOW + 2);
    ck_assert_uint_eq(recording.to, NOW + 2);
    recording_clear(&recording);
}
END_TEST

START_TEST(test_what_was_lost_is_known)
{
    begin_file();
    add_service("SMTP");
    add((struct record){.kind = RECORD_LOST, .at = NOW, .n_lost = 3});
    add((struct record){.kind = RECORD_LOST, .at = NOW, .n_lost = 4});
    ck_assert_int_eq(parse(sizeof(bytes)), 0);
    ck_assert_uint_eq(recording.n_lost, 7);
    recording_clear(&recording);
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("recording");

    ADD_TESTS(suite, "recording", test_what_came_first_comes_first, test_the_oldest_are_overwritten,
              test_what_is_broken_or_in_a_wrong_place_is_left_out, test_a_file_may_be_cut_off,
              test_services_without_name_or_options_are_left_out,
              test_memory_is_found_unless_it_is_absurd, test_what_was_lost_is_known);
    return suite;
}
