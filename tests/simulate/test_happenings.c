/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "simulate/happenings.h"
#include "support/random.h"
#include "support/suite.h"

START_TEST(test_the_next_one_comes_first_and_of_two_the_older)
{
    struct random_source random = random_start();
    struct happenings happenings = {0};
    uint64_t at = 0, number = 0;
    unsigned n_taken = 0;

    ck_assert_ptr_null(happenings_first(&happenings));
    for (unsigned i = 0; i < 1000; i++)
        ck_assert_int_eq(
            happenings_add(&happenings, (struct happening){.at = random_between(&random, 1, 100)}),
            0);
    for (; happenings_first(&happenings); n_taken++) {
        struct happening happening = happenings_take(&happenings);

        ck_assert_uint_ge(happening.at, at);
        if (n_taken > 0 && happening.at == at)
            ck_assert_uint_gt(happening.number, number);
        at = happening.at;
        number = happening.number;
    }
    ck_assert_uint_eq(n_taken, 1000);
    happenings_clear(&happenings);
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("happenings");

    ADD_TESTS(suite, "happenings", test_the_next_one_comes_first_and_of_two_the_older);
    return suite;
}
