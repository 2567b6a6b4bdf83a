/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What each test program defines, and what it may use. */
#pragma once

#include <check.h>

/* The program's tests. main() runs them, and frees the suite. */
Suite *make_suite(void);

/* Adds a test case of the functions, one a name, to the suite. */
#define ADD_TESTS(suite, name, ...) ADD_FIXTURE_TESTS(suite, name, NULL, NULL, __VA_ARGS__)

/* The same with what is run before and after each of them; NULL: nothing. */
#define ADD_FIXTURE_TESTS(suite, name, set_up, tear_down, ...)                                     \
    suite_add_tests(suite, name, set_up, tear_down, (const TTest *const[]){__VA_ARGS__, NULL})

/* Defines make_suite() with a single test case, which has the suite's name. */
#define SUITE(name, set_up, tear_down, ...)                                                        \
    Suite *make_suite(void)                                                                        \
    {                                                                                              \
        Suite *suite = suite_create(name);                                                         \
                                                                                                   \
        ADD_FIXTURE_TESTS(suite, name, set_up, tear_down, __VA_ARGS__);                            \
        return suite;                                                                              \
    }

void suite_add_tests(Suite *suite, const char *name, SFun set_up, SFun tear_down,
                     const TTest *const tests[]);
