/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/suite.h"

#include "files/problem.h"

#include <string.h>

START_TEST(test_formats_a_line_that_editors_understand)
{
    struct problem_list list = {0};
    char text[100];

    problem_add(&list, PROBLEM_ERROR, "a.cnf", 3, "no %s", "port");
    problem_add(&list, PROBLEM_WARNING, "a.cnf", 0, "old");
    ck_assert_str_eq(problem_format(&list.items[0], text, sizeof(text)), "a.cnf:3: error: no port");
    ck_assert_str_eq(problem_format(&list.items[1], text, sizeof(text)), "a.cnf: warning: old");
    ck_assert_str_eq(problem_format(&list.items[0], text, 10), "a.cnf:3: ");
    problem_list_clear(&list);
    ck_assert_uint_eq(list.n_items + list.n_errors + list.n_warnings, 0);
}
END_TEST

START_TEST(test_shows_nothing_that_a_terminal_obeys)
{
    struct problem_list list = {0};
    char text[100];

    problem_add(&list, PROBLEM_ERROR, "a\n", 1, "\033[2J \177 \x9b \xc3\xa4");
    ck_assert_str_eq(problem_format(&list.items[0], text, sizeof(text)),
                     "a?:1: error: ?[2J ? ? ??");
    problem_list_clear(&list);
}
END_TEST

START_TEST(test_keeps_a_hundred_of_each_and_counts_the_rest)
{
    struct problem_list list = {0};

    for (unsigned i = 1; i <= 250; i++) {
        problem_add(&list, PROBLEM_WARNING, "a", i, "w");
        problem_add(&list, PROBLEM_ERROR, "a", i, "e");
    }
    ck_assert_uint_eq(list.n_errors, 250);
    ck_assert_uint_eq(list.n_warnings, 250);
    ck_assert_uint_eq(list.n_items, 2 * PROBLEMS_MAX);
    ck_assert_uint_eq(list.items[199].line, 100);
    problem_list_clear(&list);
}
END_TEST

START_TEST(test_cuts_a_text_without_end)
{
    struct problem_list list = {0};
    char text[5000];

    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    problem_add(&list, PROBLEM_ERROR, "a", 1, "%s", text);
    ck_assert_uint_lt(strlen(list.items[0].text), 2000);
    problem_list_clear(&list);
}
END_TEST

SUITE("problem", NULL, NULL, test_formats_a_line_that_editors_understand,
      test_shows_nothing_that_a_terminal_obeys, test_keeps_a_hundred_of_each_and_counts_the_rest,
      test_cuts_a_text_without_end)
