#include "support/suite.h"

#include "dispatcherd/store.h"
#include "protocol/message.h"

#include <string.h>

START_TEST(test_reads_the_names_that_it_writes)
{
    char name[STORE_NAME_MAX];

    for (int i = 0; i < 8; i++) {
        const struct store_worker written = {.unit_name = "smtp_submit-2",
                                             .slot = 1023,
                                             .has_ring = i & 1,
                                             .knows_stop = i & 2,
                                             .knows_log = i & 4};
        struct store_worker read;

        ck_assert(store_parse_worker_name(store_worker_name(&written, name), &read));
        ck_assert_uint_eq(read.version, PROTOCOL_VERSION);
        ck_assert_str_eq(read.unit_name, "smtp_submit-2");
        ck_assert_uint_eq(read.slot, 1023);
        ck_assert_int_eq(read.has_ring, written.has_ring);
        ck_assert_int_eq(read.knows_stop, written.knows_stop);
        ck_assert_int_eq(read.knows_log, written.knows_log);
    }
    ck_assert_str_eq(name, "worker.1.smtp_submit-2.1023.ring.stop.log");
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
              test_takes_no_other_name_for_a_worker);
    return suite;
}
