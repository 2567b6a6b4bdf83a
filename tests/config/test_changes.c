/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "fixture.h"
#include "support/suite.h"

#include "config/changes.h"

#include <stdio.h>
#include <string.h>

static struct fixture before, after;
static struct config_changes changes;

static void setup(void)
{
    fixture_start(&before);
    fixture_start(&after);
}

static void teardown(void)
{
    config_changes_clear(&changes);
    fixture_stop(&before);
    fixture_stop(&after);
}

static void compare(const char *from, const char *to)
{
    ck_assert_int_eq(fixture_load(&before, from), 0);
    ck_assert_int_eq(fixture_load(&after, to), 0);
    config_changes_clear(&changes);
    ck_assert_int_eq(config_changes_find(&before.config, &after.config, &changes), 0);
}

/* "SERVICE.OPTION: FROM -> TO", or NULL if the option has not changed. */
static const char *change_of(const char *service, const char *option, unsigned *ret_line)
{
    static char text[512];

    for (size_t i = 0; i < changes.n_items; i++) {
        const struct config_change *change = &changes.items[i];

        if (strcmp(change->option, option) != 0 || (service == NULL) != (change->service == NULL) ||
            (service && strcmp(service, change->service) != 0))
            continue;
        snprintf(text, sizeof(text), "%s -> %s", change->from, change->to);
        *ret_line = change->origin.file ? change->origin.line : 0;
        return text;
    }
    return NULL;
}

START_TEST(test_equal_files_have_no_changes)
{
    const char *text = "MAX_PROCS=3\n[SERVICE=SMTP]\nPORT=25\nIMAGE=a\nPARAMETER=x\n";

    compare(text, text);
    ck_assert_uint_eq(changes.n_items, 0);
    /* Where a value stands does not matter. */
    compare(text, "! a comment\n[SERVICE=SMTP]\nMAX_PROCS=3\nPORT=25\nIMAGE=a\nPARAMETER=x\n");
    ck_assert_uint_eq(changes.n_items, 0);
}
END_TEST

START_TEST(test_a_change_has_both_values_and_its_line)
{
    unsigned line = 99;

    compare("BACKLOG=9\n[SERVICE=SMTP]\nPORT=25\nIMAGE=a\nMAX_CONNS=20\nPARAMETER=x\n",
            "BACKLOG=9\n[SERVICE=SMTP]\nPORT=25,587\nIMAGE=a\nPARAMETER=x\nPARAMETER=y\n");
    ck_assert_uint_eq(changes.n_items, 3);
    ck_assert_str_eq(change_of("SMTP", "PORT", &line), "25 -> 25,587");
    ck_assert_uint_eq(line, 3);
    ck_assert_str_eq(change_of("SMTP", "PARAMETER", &line), "x -> x\ny");
    /* It is the default again, which stands in no line. */
    ck_assert_str_eq(change_of("SMTP", "MAX_CONNS", &line), "20 -> 10");
    ck_assert_uint_eq(line, 0);
}
END_TEST

START_TEST(test_of_a_new_service_what_is_written_is_listed)
{
    unsigned line;

    compare("[SERVICE=A]\nPORT=1\nIMAGE=a\n",
            "[SERVICE=A]\nPORT=1\nIMAGE=a\n[SERVICE=B]\nPORT=2\nIMAGE=b\n");
    ck_assert_uint_eq(changes.n_items, 2);
    ck_assert_str_eq(change_of("B", "PORT", &line), " -> 2");
    ck_assert_uint_eq(line, 5);
    ck_assert_str_eq(change_of("B", "IMAGE", &line), " -> /workers/b");
}
END_TEST

START_TEST(test_a_service_that_is_off_is_none)
{
    const char *on = "[SERVICE=A]\nPORT=1\nIMAGE=a\n[SERVICE=B]\nPORT=2\nIMAGE=b\n";
    const char *off = "[SERVICE=A]\nPORT=1\nIMAGE=a\n[SERVICE=B]\nPORT=2\nIMAGE=b\nENABLE=0\n";
    unsigned line;

    compare(on, off);
    ck_assert_uint_eq(changes.n_items, 0);
    ck_assert_ptr_null(config_find_enabled(&after.config, "b"));
    compare(off, on);
    ck_assert_str_eq(change_of("B", "PORT", &line), " -> 2");
    ck_assert_ptr_nonnull(config_find_enabled(&after.config, "b"));
}
END_TEST

START_TEST(test_the_dispatcher_has_options_too)
{
    unsigned line;

    compare("[SERVICE=A]\nPORT=1\nIMAGE=a\n",
            "[SERVICE=DISPATCHER]\nDEBUG=16%F\n[SERVICE=A]\nPORT=1\nIMAGE=a\n");
    ck_assert_uint_eq(changes.n_items, 1);
    ck_assert_str_eq(change_of(NULL, "DEBUG", &line), "0 -> 16%F");
    ck_assert_uint_eq(line, 2);
}
END_TEST

SUITE("changes", setup, teardown, test_equal_files_have_no_changes,
      test_a_change_has_both_values_and_its_line, test_of_a_new_service_what_is_written_is_listed,
      test_a_service_that_is_off_is_none, test_the_dispatcher_has_options_too)
