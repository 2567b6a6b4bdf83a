/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "recording/record.h"
#include "support/random.h"
#include "support/suite.h"

#include <string.h>

/* 2026, in microseconds since the epoch. */
#define NOW UINT64_C(1790000000000000)

static struct record round_trip(const struct record *record)
{
    uint8_t bytes[RECORD_BYTES];
    struct record decoded;

    record_encode(record, bytes);
    ck_assert(record_decode(bytes, &decoded));
    ck_assert_int_eq(decoded.kind, record->kind);
    ck_assert_uint_eq(decoded.service, record->service);
    ck_assert_uint_eq(decoded.sequence, record->sequence);
    ck_assert_uint_eq(decoded.at, record->at);
    return decoded;
}

START_TEST(test_a_connection_survives)
{
    const struct record record = {.kind = RECORD_CONNECTION,
                                  .service = 7,
                                  .sequence = UINT64_C(1) << 40,
                                  .at = NOW,
                                  .connection = {.client = UINT64_C(0xfedcba9876543210),
                                                 .queued_usec = 1,
                                                 .checked_usec = 2,
                                                 .waited_usec = UINT32_MAX,
                                                 .session_usec = UINT64_MAX,
                                                 .end = 3,
                                                 .rejection = 4,
                                                 .is_tls = true,
                                                 .was_handed = true}};
    struct record_connection got = round_trip(&record).connection;

    ck_assert_uint_eq(got.client, record.connection.client);
    ck_assert_uint_eq(got.queued_usec, 1);
    ck_assert_uint_eq(got.checked_usec, 2);
    ck_assert_uint_eq(got.waited_usec, UINT32_MAX);
    ck_assert_uint_eq(got.session_usec, UINT64_MAX);
    ck_assert_uint_eq(got.end, 3);
    ck_assert_uint_eq(got.rejection, 4);
    ck_assert(got.is_tls && got.was_handed);
}
END_TEST

START_TEST(test_a_name_of_full_length_survives)
{
    struct record record = {.kind = RECORD_SERVICE, .service = 1, .sequence = 1, .at = NOW};

    memset(record.name, 'x', RECORD_NAME_MAX);
    ck_assert_str_eq(round_trip(&record).name, record.name);
}
END_TEST

START_TEST(test_options_survive)
{
    const struct record record = {.kind = RECORD_OPTIONS,
                                  .service = 1,
                                  .sequence = 1,
                                  .at = NOW,
                                  .options = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, UINT32_MAX}};
    struct record_options got = round_trip(&record).options;

    ck_assert_mem_eq(&got, &record.options, sizeof(got));
}
END_TEST

START_TEST(test_workers_and_pools_survive)
{
    const struct record exit = {.kind = RECORD_EXIT,
                                .service = 1,
                                .sequence = 1,
                                .at = NOW,
                                .worker = {UINT64_MAX, 2, 3, 4, true}};
    struct record_worker worker = round_trip(&exit).worker;
    const struct record change = {
        .kind = RECORD_POOL, .service = 1, .sequence = 1, .at = NOW, .pool = {1, 2, 3, 4, 5}};
    struct record_pool pool = round_trip(&change).pool;
    const struct record look = {.kind = RECORD_MEMORY,
                                .service = 1,
                                .sequence = 1,
                                .at = NOW,
                                .memory = {1, 2, 3, 4, UINT64_MAX, UINT64_MAX - 1}};
    struct record_memory memory = round_trip(&look).memory;

    ck_assert_uint_eq(worker.usec, UINT64_MAX);
    ck_assert_uint_eq(worker.exit_usec, 2);
    ck_assert_uint_eq(worker.n_total, 3);
    ck_assert_uint_eq(worker.reason, 4);
    ck_assert(worker.was_ready);
    ck_assert_mem_eq(&pool, &change.pool, sizeof(pool));
    ck_assert_mem_eq(&memory, &look.memory, sizeof(memory));
}
END_TEST

START_TEST(test_each_broken_bit_is_found)
{
    const struct record record = {.kind = RECORD_LOST, .sequence = 1, .at = NOW, .n_lost = 5};
    uint8_t bytes[RECORD_BYTES];
    struct record decoded;

    record_encode(&record, bytes);
    for (unsigned bit = 0; bit < 8 * RECORD_BYTES; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        ck_assert(!record_decode(bytes, &decoded));
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    ck_assert(record_decode(bytes, &decoded));
    ck_assert_uint_eq(decoded.n_lost, 5);
}
END_TEST

START_TEST(test_what_was_never_written_is_no_record)
{
    const uint8_t nothing[RECORD_BYTES] = {0};
    struct record decoded;

    ck_assert(!record_decode(nothing, &decoded));
}
END_TEST

/* What decodes is encoded as the same bytes. */
START_TEST(test_random_records)
{
    struct random_source random = random_start();

    for (unsigned i = 0; i < 10000; i++) {
        uint8_t bytes[RECORD_BYTES], again[RECORD_BYTES];
        struct record record = {
            .kind = (enum record_kind)random_between(&random, RECORD_BEGIN, N_RECORD_KINDS - 1),
            .service = (uint32_t)random_next(&random),
            .sequence = random_between(&random, 1, UINT64_MAX),
            .at = random_next(&random) >> 8,
        };
        struct record decoded;

        if (record.kind == RECORD_CONNECTION)
            record.connection = (struct record_connection){.client = random_next(&random),
                                                           .session_usec = random_next(&random)};
        record_encode(&record, bytes);
        ck_assert(record_decode(bytes, &decoded));
        record_encode(&decoded, again);
        ck_assert_mem_eq(bytes, again, RECORD_BYTES);
    }
}
END_TEST

START_TEST(test_services_are_found_without_regard_to_case)
{
    ck_assert_uint_eq(record_service_hash("SMTP"), record_service_hash("smtp"));
    ck_assert_uint_ne(record_service_hash("SMTP"), record_service_hash("SMTP2"));
}
END_TEST

START_TEST(test_headers)
{
    uint8_t bytes[RECORD_BYTES];

    record_header_encode(5, bytes);
    ck_assert_uint_eq(record_header_decode(bytes), 5);
    bytes[0]++;
    ck_assert_uint_eq(record_header_decode(bytes), 0);
    record_header_encode(RECORDS_READ_MAX + 1, bytes);
    ck_assert_uint_eq(record_header_decode(bytes), 0);
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("record");

    ADD_TESTS(suite, "record", test_a_connection_survives, test_a_name_of_full_length_survives,
              test_options_survive, test_workers_and_pools_survive, test_each_broken_bit_is_found,
              test_what_was_never_written_is_no_record, test_random_records,
              test_services_are_found_without_regard_to_case, test_headers);
    return suite;
}
