/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* A mapping file that was emptied by accident must not let everybody in. */
#include "dispatcherd/config/mapping_guard.h"
#include "support/suite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REJECTS "PORT_ACCESS\n\n  *  $N500$ no\n"

static char folder[] = "/tmp/guard-XXXXXX";
static char path[64];
static struct problem_list problems;

static void set_up(void)
{
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/mappings", folder);
}

static void tear_down(void)
{
    problem_list_clear(&problems);
    unlink(path);
    rmdir(folder);
}

/* The set of a file with that text; NULL: there is no file. */
static struct mapping_set *load(const char *text)
{
    struct mapping_set *set = NULL;

    unlink(path);
    if (text) {
        FILE *stream = fopen(path, "we");

        ck_assert_ptr_nonnull(stream);
        ck_assert_int_ge(fputs(text, stream), 0);
        fclose(stream);
    }
    ck_assert_int_eq(mapping_set_load(path, &problems, &set), 0);
    problem_list_clear(&problems); /* of the file itself */
    return set;
}

/* Whether the tables of one text may replace those of another; NULL: there is no file. */
static int replace(const char *in_force, const char *text)
{
    struct mapping_set *before = load(in_force);
    struct mapping_set *after = load(text);
    int r = mapping_guard(before, after, path, &problems);
    mapping_set_unref(before);
    mapping_set_unref(after);
    return r;
}

START_TEST(test_tables_that_decide_may_be_replaced_by_such)
{
    ck_assert_int_eq(replace(REJECTS, REJECTS), 0);
    ck_assert_int_eq(replace(REJECTS, "PORT_ACCESS\n\n  *  $Y\n"), 0);
    ck_assert_uint_eq(problems.n_items, 0);
}
END_TEST

START_TEST(test_without_tables_in_force_there_is_nothing_to_protect)
{
    ck_assert_int_eq(replace(NULL, ""), 0);
    ck_assert_int_eq(replace("", NULL), 0);
    ck_assert_int_eq(replace("", REJECTS), 0);
    struct mapping_set *set = load("");
    ck_assert_int_eq(mapping_guard(NULL, set, path, &problems), 0);
    mapping_set_unref(set);
    ck_assert_uint_eq(problems.n_items, 0);
}
END_TEST

static void check_refused(const char *text, const char *fault)
{
    ck_assert_int_eq(replace(REJECTS, text), -EINVAL);
    ck_assert_uint_eq(problems.n_errors, 1);
    ck_assert_int_eq(strncmp(problems.items[0].text, fault, strlen(fault)), 0);
    ck_assert_ptr_nonnull(strstr(problems.items[0].text,
                                 "; the tables in force stay; to serve everybody from now on, give "
                                 "PORT_ACCESS the entry: * $Y"));
}

START_TEST(test_each_accident_is_named)
{
    check_refused(NULL, "the file does not exist");
    check_refused("", "the file is empty");
    check_refused("PORT_ACCESS\n\n", "PORT_ACCESS has no entries");
    check_refused("OTHER\n\n  *  $Y\n", "there is no table PORT_ACCESS");
}
END_TEST

START_TEST(test_a_link_that_leads_nowhere_is_warned_of)
{
    unlink(path);
    mapping_guard_check_link(path, &problems);
    ck_assert_uint_eq(problems.n_items, 0);
    ck_assert_int_eq(symlink("/nonexistent/mappings", path), 0);
    mapping_guard_check_link(path, &problems);
    ck_assert_uint_eq(problems.n_items, 1);
    ck_assert_int_eq(problems.items[0].severity, PROBLEM_WARNING);
    problem_list_clear(&problems);
    unlink(path);
    ck_assert_int_eq(symlink("/dev/null", path), 0);
    mapping_guard_check_link(path, &problems);
    ck_assert_uint_eq(problems.n_items, 0);
}
END_TEST

SUITE("mapping_guard", set_up, tear_down, test_tables_that_decide_may_be_replaced_by_such,
      test_without_tables_in_force_there_is_nothing_to_protect, test_each_accident_is_named,
      test_a_link_that_leads_nowhere_is_warned_of)
