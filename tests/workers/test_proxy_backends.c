/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/suite.h"

#include "base/macro.h"
#include "base/time.h"
#include "workers/proxy/backends.h"
#include "workers/proxy/settings.h"

#include <errno.h>

static struct backends resolve(const char *const names[], size_t n)
{
    struct backends backends = {0};
    struct str_list list = {0};
    const char *name, *why;

    for (size_t i = 0; i < n; i++)
        ck_assert_int_eq(str_list_append(&list, names[i]), 0);
    ck_assert_int_eq(backends_resolve(&backends, &list, &name, &why), 0);
    ck_assert_uint_eq(backends.n_items, n);
    str_list_clear(&list);
    return backends;
}

static struct backends two(void)
{
    static const char *const names[] = {"/run/one", "[::1]:25"};

    return resolve(names, ELEMENTSOF(names));
}

START_TEST(test_the_first_that_is_well)
{
    struct backends backends = two();

    ck_assert_uint_eq(backends_choose(&backends, 0, 1), 0);
    ck_assert_uint_eq(backends_choose(&backends, 1, 1), 1);
    ck_assert(!backend_failed(&backends.items[0], ECONNREFUSED, 1, 1));
    ck_assert_uint_eq(backends_choose(&backends, 0, 1), 1);
    ck_assert(!backend_answered(&backends.items[0]));
    ck_assert_uint_eq(backends_choose(&backends, 0, 1), 0);
    backends_clear(&backends);
}
END_TEST

START_TEST(test_one_tries_again_after_a_pause_that_grows)
{
    struct backends backends = two();
    struct backend *backend = &backends.items[0];
    uint64_t now = USEC_PER_SEC, pause = 0;

    for (int i = 0; i < 10; i++) {
        backend_failed(backend, ECONNREFUSED, now, now);
        ck_assert_uint_ge(backend->retry_at - now, pause);
        pause = backend->retry_at - now;
        ck_assert_uint_eq(backends_choose(&backends, 0, now + pause - 1), 1);
        now += pause;
        ck_assert_uint_eq(backends_choose(&backends, 0, now), 0);
        /* One is enough. */
        ck_assert_uint_eq(backends_choose(&backends, 0, now), 1);
    }
    ck_assert_uint_eq(pause, 2 * USEC_PER_SEC);
    backends_clear(&backends);
}
END_TEST

START_TEST(test_those_that_were_tried_together_fail_once)
{
    struct backends backends = two();

    for (uint64_t i = 0; i < 100; i++)
        backend_failed(&backends.items[0], ETIMEDOUT, 10, 1000 + i);
    ck_assert_uint_eq(backends.items[0].n_failures, 1);
    backends_clear(&backends);
}
END_TEST

START_TEST(test_is_reported_after_a_while)
{
    struct backends backends = two();
    struct backend *backend = &backends.items[0];
    uint64_t now = USEC_PER_SEC;

    ck_assert(!backend_failed(backend, ECONNREFUSED, now, now));
    now += USEC_PER_SEC;
    ck_assert(!backend_failed(backend, ECONNREFUSED, now, now));
    now += USEC_PER_SEC;
    ck_assert(backend_failed(backend, ECONNREFUSED, now, now));
    backend->is_reported = true;
    ck_assert(!backend_failed(backend, ECONNREFUSED, now, now));
    ck_assert(backend_answered(backend));
    ck_assert(!backend_answered(backend));
    backends_clear(&backends);
}
END_TEST

START_TEST(test_addresses_are_split)
{
    static const char *const wrong[] = {"",       ":25",    "host",       "host:",    "host:0",
                                        "host:x", "::1:25", "host:65536", "host:+25", "[]:25"};
    char host[256], port[6];

    for (size_t i = 0; i < ELEMENTSOF(wrong); i++)
        ck_assert_msg(!settings_split(wrong[i], host, port), "%s", wrong[i]);
    ck_assert(settings_split("[::1]:25", host, port));
    ck_assert_str_eq(host, "::1");
    ck_assert_str_eq(port, "25");
    ck_assert(settings_split("mail.example.com:65535", host, port));
    ck_assert_str_eq(host, "mail.example.com");
}
END_TEST

SUITE("proxy back ends", NULL, NULL, test_the_first_that_is_well,
      test_one_tries_again_after_a_pause_that_grows, test_those_that_were_tried_together_fail_once,
      test_is_reported_after_a_while, test_addresses_are_split)
