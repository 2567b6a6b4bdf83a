/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/suite.h"
#include "web/host.h"

#include "base/macro.h"

#include <sched.h>
#include <string.h>
#include <unistd.h>

static const char *const names[] = {"mail", "mail.example.com"};

static bool is_ours(const char *host)
{
    return host_is_ours(host, names, ELEMENTSOF(names));
}

START_TEST(test_addresses_and_own_names_are_ours)
{
    static const char *const hosts[] = {"127.0.0.1",      "127.0.0.1:7633", "[::1]",
                                        "[::1]:7633",     "localhost",      "LOCALHOST:7633",
                                        "192.0.2.1:1234", "Mail:7633",      "mail.example.com"};

    for (size_t i = 0; i < ELEMENTSOF(hosts); i++)
        ck_assert_msg(is_ours(hosts[i]), "%s", hosts[i]);
}
END_TEST

START_TEST(test_other_names_are_not)
{
    static const char *const hosts[] = {"",
                                        ":7633",
                                        "evil.example",
                                        "127.0.0.1.evil.example",
                                        "localhost.evil.example:7633",
                                        "mail.evil.example",
                                        "[::1].evil.example",
                                        "[::1",
                                        "mai"};

    for (size_t i = 0; i < ELEMENTSOF(hosts); i++)
        ck_assert_msg(!is_ours(hosts[i]), "%s", hosts[i]);
}
END_TEST

START_TEST(test_tells_what_cannot_be_a_host)
{
    static const char *const good[] = {"", "mail", "mail:7633", "[::1]:7633", "a-b_c.example:80"};
    static const char *const bad[] = {"mail evil",  "mail, evil", "mail/",   "me@mail",
                                      "mail\tevil", "mail?",      "ma\xefil"};

    for (size_t i = 0; i < ELEMENTSOF(good); i++)
        ck_assert_msg(host_is_valid(good[i]), "%s", good[i]);
    for (size_t i = 0; i < ELEMENTSOF(bad); i++)
        ck_assert_msg(!host_is_valid(bad[i]), "%s", bad[i]);
}
END_TEST

static void rename_host(const char *name)
{
    ck_assert_int_eq(sethostname(name, strlen(name)), 0);
}

START_TEST(test_the_name_of_the_host_is_followed)
{
    /* The name of this process's namespace alone. */
    if (unshare(CLONE_NEWUTS) < 0)
        return;
    rename_host("before");
    ck_assert(is_ours("before:7633"));
    rename_host("after.example.com");
    ck_assert(is_ours("After.example.com"));
    ck_assert(!is_ours("before"));
}
END_TEST

SUITE("host", NULL, NULL, test_addresses_and_own_names_are_ours, test_other_names_are_not,
      test_tells_what_cannot_be_a_host, test_the_name_of_the_host_is_followed)
