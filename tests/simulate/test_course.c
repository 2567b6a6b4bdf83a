/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "simulate/course.h"
#include "support/suite.h"

#define FROM UINT64_C(1000000)
#define TO   (FROM + COURSE_STEPS * 100)

START_TEST(test_waits)
{
    struct course course = course_init(FROM, TO);

    ck_assert_uint_eq(course_wait(&course, 990), 0);
    ck_assert_uint_eq(course_wait_mean(&course), 0);
    for (unsigned i = 1000; i > 0; i--)
        ck_assert_int_eq(course_add_wait(&course, i), 0);
    course_finish(&course);
    ck_assert_uint_eq(course_wait(&course, 0), 1);
    ck_assert_uint_eq(course_wait(&course, 990), 990);
    ck_assert_uint_eq(course_wait(&course, 1000), 1000);
    ck_assert_uint_eq(course_wait_mean(&course), 500);
    course_clear(&course);
}
END_TEST

START_TEST(test_workers)
{
    struct course course = course_init(FROM, TO);

    /* What is outside of the span does not count. */
    course_add_workers(&course, 9, 0, FROM);
    course_add_workers(&course, 2, FROM - 500, FROM + 150);
    course_add_workers(&course, 4, FROM + 150, FROM + 200);
    course_add_workers(&course, 1, TO - 100, TO + 1000);
    course_add_workers(&course, 9, TO, TO + 1);
    course_finish(&course);
    ck_assert_uint_eq(course.workers_max, 4);
    ck_assert_double_eq(course_workers_in(&course, 0), 2);
    ck_assert_double_eq(course_workers_in(&course, 1), 3);
    ck_assert_double_eq(course_workers_in(&course, 2), 0);
    ck_assert_double_eq(course_workers_in(&course, COURSE_STEPS - 1), 1);
    ck_assert_double_eq_tol(course_workers(&course), 6.0 / COURSE_STEPS, 1e-9);
    course_clear(&course);
}
END_TEST

START_TEST(test_memory)
{
    struct course course = course_init(FROM, TO);

    ck_assert_double_eq(course_memory(&course), 0);
    course_add_memory(&course, 900, 0, FROM);
    course_add_memory(&course, 100, FROM - 500, FROM + 300);
    course_add_memory(&course, 500, FROM + 300, FROM + 400);
    course_add_memory(&course, 900, TO, TO + 1);
    ck_assert_double_eq(course.kib_max, 500);
    ck_assert_uint_eq(course.memory_usec, 400);
    ck_assert_double_eq(course_memory(&course), 200);
    course_clear(&course);
}
END_TEST

START_TEST(test_a_span_without_length)
{
    struct course course = course_init(FROM, FROM);

    course_add_workers(&course, 3, 0, 2 * FROM);
    ck_assert_double_eq(course_workers(&course), 3);
    course_clear(&course);
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("course");

    ADD_TESTS(suite, "course", test_waits, test_workers, test_memory, test_a_span_without_length);
    return suite;
}
