/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/suite.h"

#include "dispatcherd/config/due.h"

static void add(struct due_list *due, const char *service, unsigned kinds)
{
    due_add(due, service, NULL, kinds, "%s differs", service);
}

static void check_command(const struct due_list *due, const char *wanted)
{
    ck_assert_str_eq(due_command(due), wanted);
}

START_TEST(test_nothing_is_due)
{
    struct due_list due = {0};

    check_command(&due, "");
}
END_TEST

START_TEST(test_each_kind_has_its_command)
{
    static const struct {
        unsigned kinds;
        const char *command;
    } cases[] = {
        {DUE_DAEMON_RELOAD, "dispatcherctl apply"},
        {DUE_RELOAD, "dispatcherctl reload"},
        {DUE_RESTART, "dispatcherctl apply"},
        {DUE_DAEMON_RELOAD | DUE_RELOAD, "dispatcherctl apply"},
        {DUE_DAEMON_RELOAD | DUE_RESTART, "dispatcherctl apply"},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        struct due_list due = {0};

        add(&due, "ONE", cases[i].kinds);
        ck_assert_str_eq(due_command_of(due.items[0].kinds), cases[i].command);
        check_command(&due, cases[i].command);
        due_clear(&due);
    }
}
END_TEST

START_TEST(test_one_command_does_all_of_it)
{
    struct due_list due = {0};

    add(&due, "ONE", DUE_RELOAD);
    check_command(&due, "dispatcherctl reload");
    add(&due, "TWO", DUE_RESTART);
    check_command(&due, "dispatcherctl apply");
    ck_assert(due_has_service(&due, "two"));
    ck_assert(!due_has_service(&due, "four"));
    due_clear(&due);
    check_command(&due, "");
}
END_TEST

START_TEST(test_becomes_warnings_with_the_command)
{
    const struct origin origin = {.file = "x.cnf", .line = 7};
    struct problem_list problems = {0};
    struct due_list due = {0};
    char text[256];

    due_add(&due, "ONE", &origin, DUE_RELOAD, "ONE differs");
    due_add_problems(&due, &problems);
    ck_assert_str_eq(problem_format(&problems.items[0], text, sizeof(text)),
                     "x.cnf:7: warning: ONE differs; to follow: dispatcherctl reload");
    problem_list_clear(&problems);
    due_clear(&due);
}
END_TEST

START_TEST(test_sees_what_has_changed)
{
    struct due_list one = {0}, two = {0};

    ck_assert(due_equal(&one, &two));
    add(&one, "ONE", DUE_RELOAD);
    ck_assert(!due_equal(&one, &two));
    add(&two, "ONE", DUE_RESTART);
    ck_assert(!due_equal(&one, &two));
    due_clear(&two);
    add(&two, "ONE", DUE_RELOAD);
    ck_assert(due_equal(&one, &two));
    due_clear(&one);
    due_clear(&two);
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("due");

    ADD_TESTS(suite, "commands", test_nothing_is_due, test_each_kind_has_its_command,
              test_one_command_does_all_of_it);
    ADD_TESTS(suite, "list", test_becomes_warnings_with_the_command, test_sees_what_has_changed);
    return suite;
}
