/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/suite.h"

#include "dispatcherd/store/store.h"
#include "protocol/message.h"

#include <errno.h>
#include <string.h>

START_TEST(test_reads_the_names_that_it_writes)
{
    char name[STORE_NAME_MAX];

    for (int i = 0; i < 128; i++) {
        const struct store_worker written = {.unit_name = "smtp_submit-2",
                                             .slot = 1023,
                                             .knows.ring = i & 1,
                                             .knows.stop = i & 2,
                                             .knows.log = i & 4,
                                             .knows.stress = i & 8,
                                             .knows.pass = i & 16,
                                             .knows.identity = i & 32,
                                             .knows.answer = i & 64};
        struct store_worker read;

        ck_assert(store_parse_worker_name(store_worker_name(&written, name), &read));
        ck_assert_uint_eq(read.version, PROTOCOL_VERSION);
        ck_assert_str_eq(read.unit_name, "smtp_submit-2");
        ck_assert_uint_eq(read.slot, 1023);
        ck_assert_int_eq(read.knows.ring, written.knows.ring);
        ck_assert_int_eq(read.knows.stop, written.knows.stop);
        ck_assert_int_eq(read.knows.log, written.knows.log);
        ck_assert_int_eq(read.knows.stress, written.knows.stress);
        ck_assert_int_eq(read.knows.pass, written.knows.pass);
        ck_assert_int_eq(read.knows.identity, written.knows.identity);
        ck_assert_int_eq(read.knows.answer, written.knows.answer);
    }
    ck_assert_str_eq(name, "w1.smtp_submit-2.1023.rsltpia");
}
END_TEST

START_TEST(test_reads_the_names_of_version_0_1)
{
    struct store_worker read;

    ck_assert(store_parse_worker_name("worker.1.smtp.7", &read));
    ck_assert_str_eq(read.unit_name, "smtp");
    ck_assert_uint_eq(read.slot, 7);
    ck_assert(!read.knows.ring && !read.knows.stop && !read.knows.log && !read.knows.stress);
    ck_assert(!read.knows.pass);
    ck_assert(store_parse_worker_name("worker.1.smtp.7.ring.stop.log", &read));
    ck_assert(read.knows.ring && read.knows.stop && read.knows.log && !read.knows.stress);
    ck_assert(!read.knows.pass);
}
END_TEST

START_TEST(test_counts_what_is_stored_and_refuses_what_is_too_much)
{
    store_inherit("w1.smtp.0.r");
    store_set_limits(3, 1000);
    ck_assert_int_eq(store_add("w1.smtp.1.r", -1), 0);
    ck_assert_int_eq(store_add("w1.smtp.2.r", -1), 0);
    ck_assert_uint_eq(store_n_entries(), 3);
    ck_assert_int_eq(store_add("w1.smtp.3.r", -1), -ENOSPC);
    ck_assert_int_eq(store_remove("w1.smtp.0.r"), 0);
    ck_assert_int_eq(store_add("w1.smtp.3.r", -1), 0);
    ck_assert_int_eq(store_add("w1.smtp.4.r", -1), -ENOSPC);
    /* However many there may be, their names must fit. */
    store_set_limits(0, 4 * sizeof("w1.smtp.3.r"));
    ck_assert_int_eq(store_add("w1.smtp.4.r", -1), 0);
    ck_assert_int_eq(store_add("w1.smtp.5.r", -1), -ENOSPC);
}
END_TEST

START_TEST(test_takes_no_other_name_for_a_worker)
{
    static const char *const names[] = {"",
                                        "smtp",
                                        "dispatcherd.state.1",
                                        "worker.1.smtp",
                                        "worker.1.smtp.",
                                        "worker.1.smtp.x",
                                        "worker.1.smtp.1.",
                                        "worker.1.smtp.1.rin",
                                        "worker.1.smtp.1.rings",
                                        "worker.1.smtp.1.ring.ring",
                                        "worker.1.smtp.1.stop.ring",
                                        "worker.1.smtp.1.log.stop",
                                        "worker.1.smtp.1.stopp",
                                        "w1.smtp.1",
                                        "w1.smtp..r",
                                        "w1.smtp.1.rr",
                                        "w1.smtp.1.sr",
                                        "w.smtp.1.r",
                                        "w1.smtp.1.r.",
                                        "worker.1.a-name-that-is-longer-than-any-of-a-service.1"};

    struct store_worker read;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        ck_assert_msg(!store_parse_worker_name(names[i], &read), "taken: %s", names[i]);
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("store");

    ADD_TESTS(suite, "names", test_reads_the_names_that_it_writes,
              test_reads_the_names_of_version_0_1, test_takes_no_other_name_for_a_worker);
    ADD_TESTS(suite, "room", test_counts_what_is_stored_and_refuses_what_is_too_much);
    return suite;
}
