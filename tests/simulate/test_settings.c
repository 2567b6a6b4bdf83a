/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "simulate/settings.h"
#include "support/suite.h"

#include <errno.h>
#include <string.h>

static const struct record_options recorded = {.min_procs = 2,
                                               .max_procs = 5,
                                               .min_conns = 3,
                                               .max_conns = 10,
                                               .max_handoffs = 5,
                                               .max_shutdown = 2,
                                               .max_life_sec = 60};

static struct setting parsed(const char *text)
{
    char reason[SETTING_REASON_MAX];
    struct setting setting;

    ck_assert_msg(setting_parse(text, &setting, reason) == 0, "%s", reason);
    return setting;
}

static void check_refused(const char *text, const char *reason_part)
{
    char reason[SETTING_REASON_MAX];
    struct setting setting;

    ck_assert_int_eq(setting_parse(text, &setting, reason), -EINVAL);
    ck_assert_msg(strstr(reason, reason_part), "%s: %s", text, reason);
}

START_TEST(test_later_settings_win_and_some_are_for_one_service)
{
    const struct setting items[] = {parsed("MAX_PROCS=7"), parsed("smtp:max_procs=8"),
                                    parsed("IMAP:MAX_CONNS=1"), parsed("MAX_LIFE_TIME=0"),
                                    parsed("THROTTLE=30")};
    const struct settings settings = {.items = items, .n_items = 5};
    struct effective_settings smtp = settings_apply(&settings, "SMTP", &recorded);
    struct effective_settings imap = settings_apply(&settings, "IMAP", &recorded);

    ck_assert_uint_eq(smtp.options.max_procs, 8);
    ck_assert_uint_eq(smtp.options.max_conns, 10);
    ck_assert_uint_eq(smtp.options.max_life_sec, 0);
    ck_assert_uint_eq(imap.options.max_procs, 7);
    ck_assert_uint_eq(imap.options.max_conns, 1);
    ck_assert(imap.has_throttle);
    ck_assert_uint_eq(imap.throttle, 30);
}
END_TEST

START_TEST(test_contradictions_are_settled_as_in_dispatcher_cnf)
{
    const struct setting items[] = {parsed("MAX_PROCS=1"), parsed("MAX_CONNS=2")};
    const struct settings settings = {.items = items, .n_items = 2};
    struct record_options options = settings_apply(&settings, "SMTP", &recorded).options;

    ck_assert_uint_eq(options.min_procs, 1);
    ck_assert_uint_eq(options.min_conns, 2);
}
END_TEST

/* A recording is a file from somewhere. */
START_TEST(test_no_recorded_options_are_beyond_a_pool)
{
    const struct settings settings = {0};
    struct record_options nothing = {0}, much;

    memset(&much, 0xff, sizeof(much));
    struct record_options least = settings_apply(&settings, "SMTP", &nothing).options;
    struct record_options most = settings_apply(&settings, "SMTP", &much).options;
    ck_assert(least.max_procs == 1 && least.max_conns == 1 && least.max_handoffs == 1);
    ck_assert_uint_eq(most.max_procs, 1024);
    ck_assert_uint_eq(most.min_procs, 1024);
}
END_TEST

START_TEST(test_a_configuration_replaces_what_was_recorded)
{
    struct service_options service = {.name = (char *)"Smtp", .max_procs = 9, .max_conns = 4};
    const struct config config = {.services = &service, .n_services = 1};
    const struct settings settings = {.config = &config};

    ck_assert_uint_eq(settings_apply(&settings, "SMTP", &recorded).options.max_procs, 9);
    ck_assert_uint_eq(settings_apply(&settings, "IMAP", &recorded).options.max_procs, 5);
}
END_TEST

START_TEST(test_what_is_wrong_is_said)
{
    check_refused("MAX_PROCS", "NAME=value");
    check_refused("MAX_PROCS=0", "from 1 to 1024");
    check_refused("MAX_PROCS=x", "from 1 to 1024");
    check_refused("PORT=25", "nothing that a simulation can change");
    check_refused("a-name-that-is-far-too-long-for-a-service:MAX_PROCS=1", "such a long name");
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("settings");

    ADD_TESTS(suite, "settings", test_later_settings_win_and_some_are_for_one_service,
              test_contradictions_are_settled_as_in_dispatcher_cnf,
              test_no_recorded_options_are_beyond_a_pool,
              test_a_configuration_replaces_what_was_recorded, test_what_is_wrong_is_said);
    return suite;
}
