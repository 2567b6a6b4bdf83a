#include "support/suite.h"

#include "dispatcherd/store.h"
#include "protocol/message.h"

#include <string.h>

static unsigned version, slot;
static char unit_name[40];
static bool has_ring;

static bool parse(const char *name)
{
    return store_parse_worker_name(name, &version, unit_name, sizeof(unit_name), &slot, &has_ring);
}

START_TEST(test_reads_the_names_that_it_writes)
{
    char name[STORE_NAME_MAX];

    for (int ring = 0; ring < 2; ring++) {
        ck_assert(parse(store_worker_name("smtp_submit-2", 1023, ring, name)));
        ck_assert_uint_eq(version, PROTOCOL_VERSION);
        ck_assert_str_eq(unit_name, "smtp_submit-2");
        ck_assert_uint_eq(slot, 1023);
        ck_assert_int_eq(has_ring, ring);
    }
    ck_assert_str_eq(name, "worker.1.smtp_submit-2.1023.ring");
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
                                        "worker.1.a-name-that-is-longer-than-any-of-a-service.1"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        ck_assert_msg(!parse(names[i]), "taken: %s", names[i]);
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("store");

    ADD_TESTS(suite, "names", test_reads_the_names_that_it_writes,
              test_takes_no_other_name_for_a_worker);
    return suite;
}
