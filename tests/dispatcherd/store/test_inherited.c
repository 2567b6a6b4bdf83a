/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/store/inherited.h"

#include "base/fd.h"
#include "base/macro.h"
#include "support/suite.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* As if the service manager had passed a descriptor by each of these names. */
static void pass(struct inherited *inherited, const char *const names[], size_t n)
{
    *inherited = (struct inherited){.items = calloc(n, sizeof(*inherited->items)), .n_items = n};
    for (size_t i = 0; i < n; i++) {
        inherited->items[i].fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
        inherited->items[i].name = strdup(names[i]);
        ck_assert_int_ge(inherited->items[i].fd, 0);
        ck_assert_ptr_nonnull(inherited->items[i].name);
    }
}

START_TEST(test_without_a_manager_nothing_is_inherited)
{
    struct inherited inherited;

    unsetenv("LISTEN_PID");
    ck_assert_int_eq(inherited_collect(&inherited), 0);
    ck_assert_uint_eq(inherited.n_items, 0);
    ck_assert(!inherited.has_manager);
    inherited_clear(&inherited);
}
END_TEST

START_TEST(test_the_newest_is_taken_and_once)
{
    static const char *const names[] = {"smtp", "state.9", "state.10", "states", "state.2"};
    struct inherited inherited;
    unsigned long number;

    pass(&inherited, names, ELEMENTSOF(names));
    int wanted = inherited.items[2].fd;
    _cleanup_fd_ int newest = inherited_take_newest(&inherited, "state.", &number);
    ck_assert_int_eq(newest, wanted);
    ck_assert_uint_eq(number, 10);
    ck_assert_int_eq(inherited.items[2].fd, -1);
    _cleanup_fd_ int next = inherited_take_newest(&inherited, "state.", &number);
    ck_assert_int_ge(next, 0);
    ck_assert_uint_eq(number, 9);
    ck_assert_int_eq(inherited_take_newest(&inherited, "config.", &number), -1);
    ck_assert_uint_eq(number, 0);
    inherited_clear(&inherited);
}
END_TEST

START_TEST(test_what_nobody_took_is_closed)
{
    static const char *const names[] = {"smtp", "pop"};
    struct inherited inherited;

    pass(&inherited, names, ELEMENTSOF(names));
    _cleanup_fd_ int taken = take_fd(&inherited.items[0].fd);
    int other = inherited.items[1].fd;
    inherited_clear(&inherited);
    ck_assert_int_ge(fcntl(taken, F_GETFD), 0);
    ck_assert_int_eq(fcntl(other, F_GETFD), -1);
    ck_assert_uint_eq(inherited.n_items, 0);
}
END_TEST

SUITE("inherited", NULL, NULL, test_without_a_manager_nothing_is_inherited,
      test_the_newest_is_taken_and_once, test_what_nobody_took_is_closed)
