/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What each test program defines, and what it may use. */
#pragma once

#include <check.h>

/* The program's tests. main() runs them, and frees the suite. */
Suite *make_suite(void);

/* Seconds for one test, unless it says otherwise. The limit is for what hangs: a busy machine and a
 * sanitizer make a test take ten times as long. */
#define SUITE_LIMIT_SEC  120
#define SUITE_LIMIT_TEXT "120"

/* Adds a test case of the functions, one a name, to the suite. */
#define ADD_TESTS(suite, name, ...)                                                                \
    suite_add_tests(suite, name, (const TTest *const[]){__VA_ARGS__, NULL}, SUITE_LIMIT_SEC)

/* The same with a time limit in seconds, for tests that start processes. */
#define ADD_SLOW_TESTS(suite, name, limit_sec, ...)                                                \
    suite_add_tests(suite, name, (const TTest *const[]){__VA_ARGS__, NULL}, limit_sec)

void suite_add_tests(Suite *suite, const char *name, const TTest *const tests[], double limit_sec);
