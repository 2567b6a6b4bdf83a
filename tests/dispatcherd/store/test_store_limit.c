/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The test is the bus: the functions of systemd_bus.h, and the question itself, are its own. */
#include "dispatcherd/store/store_limit.h"
#include "dispatcherd/store/systemd_bus.h"
#include "support/suite.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OWN_UNIT    SYSTEMD_BUS_PATH "/unit/other_2eservice"
#define DAEMON_UNIT SYSTEMD_BUS_PATH "/unit/dispatcherd_2eservice"

static bool has_bus, has_unit, is_answered;
static uint32_t answer;
static unsigned n_opened, n_closed, n_questions;
static char asked_about[128];

int systemd_bus_open(sd_bus **ret)
{
    *ret = NULL;
    if (!has_bus)
        return -ENOENT;
    n_opened++;
    return 0;
}

void systemd_bus_close(sd_bus **bus)
{
    (void)bus;
    n_closed++;
}

void systemd_bus_message_unref(sd_bus_message **message)
{
    (void)message;
}

int systemd_bus_find_own_unit(sd_bus *bus, char **ret_path)
{
    (void)bus;
    if (!has_unit)
        return -ENXIO;
    *ret_path = strdup(OWN_UNIT);
    return 0;
}

int sd_bus_get_property_trivial(sd_bus *bus, const char *destination, const char *path,
                                const char *interface, const char *member, sd_bus_error *ret_error,
                                char type, void *ret)
{
    (void)bus;
    (void)ret_error;
    ck_assert_str_eq(destination, "org.freedesktop.systemd1");
    ck_assert_str_eq(interface, "org.freedesktop.systemd1.Service");
    ck_assert_str_eq(member, "FileDescriptorStoreMax");
    ck_assert_int_eq(type, 'u');
    n_questions++;
    snprintf(asked_about, sizeof(asked_about), "%s", path);
    if (!is_answered)
        return -ETIMEDOUT;
    memcpy(ret, &answer, sizeof(answer));
    return 0;
}

static void set_up(void)
{
    unsetenv("FDSTORE");
    has_bus = has_unit = is_answered = true;
    answer = 4096;
    n_opened = n_closed = n_questions = 0;
    asked_about[0] = '\0';
}

static void tear_down(void)
{
    unsetenv("FDSTORE");
}

START_TEST(test_what_systemd_has_told_is_not_asked_for)
{
    static const struct {
        const char *told;
        size_t limit;
    } cases[] = {{"0", 0}, {"1", 1}, {"4096", 4096}, {"4294967295", UINT32_MAX}, {"", 0}, {"x", 0}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        setenv("FDSTORE", cases[i].told, 1);
        ck_assert_uint_eq(store_limit_of_this_unit(), cases[i].limit);
    }
    ck_assert_uint_eq(n_opened, 0);
    ck_assert_uint_eq(n_questions, 0);
}
END_TEST

/* systemd before version 254 tells nothing. */
START_TEST(test_what_systemd_has_not_told_is_asked_for)
{
    answer = 512;
    ck_assert_uint_eq(store_limit_of_this_unit(), 512);
    ck_assert_str_eq(asked_about, OWN_UNIT);
    answer = 0;
    ck_assert_uint_eq(store_limit_of_this_unit(), 0);
    answer = UINT32_MAX;
    ck_assert_uint_eq(store_limit_of_this_unit(), UINT32_MAX);
    ck_assert_uint_eq(n_opened, 3);
}
END_TEST

START_TEST(test_of_the_daemon_its_unit_is_asked)
{
    setenv("FDSTORE", "7", 1); /* of another unit */
    ck_assert_uint_eq(store_limit_of_daemon(), 4096);
    ck_assert_str_eq(asked_about, DAEMON_UNIT);
    ck_assert_uint_eq(n_questions, 1);
}
END_TEST

START_TEST(test_it_is_unknown_without_a_bus)
{
    has_bus = false;
    ck_assert_uint_eq(store_limit_of_this_unit(), 0);
    ck_assert_uint_eq(store_limit_of_daemon(), 0);
    ck_assert_uint_eq(n_questions, 0);
}
END_TEST

START_TEST(test_it_is_unknown_without_a_unit)
{
    has_unit = false;
    ck_assert_uint_eq(store_limit_of_this_unit(), 0);
    ck_assert_uint_eq(n_questions, 0);
}
END_TEST

START_TEST(test_it_is_unknown_without_an_answer)
{
    is_answered = false;
    ck_assert_uint_eq(store_limit_of_this_unit(), 0);
    ck_assert_uint_eq(store_limit_of_daemon(), 0);
    ck_assert_uint_eq(n_questions, 2);
    ck_assert_uint_eq(n_closed, n_opened);
}
END_TEST

SUITE("store_limit", set_up, tear_down, test_what_systemd_has_told_is_not_asked_for,
      test_what_systemd_has_not_told_is_asked_for, test_of_the_daemon_its_unit_is_asked,
      test_it_is_unknown_without_a_bus, test_it_is_unknown_without_a_unit,
      test_it_is_unknown_without_an_answer)
