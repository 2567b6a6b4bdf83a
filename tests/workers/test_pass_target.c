/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/suite.h"
#include "workers/worker_log.h"

#include "base/time.h"
#include "workers/pass/target.h"

#include <errno.h>

static struct target target;

static void set_up(void)
{
    worker_log_begin();
    target = (struct target){.worker = worker_log_connection().worker, .path = "/x"};
}

static void expect_log(const char *text)
{
    const char *found = worker_log_take();

    ck_assert_msg(*text ? strstr(found, text) != NULL : !*found, "'%s' instead of '%s'", found,
                  text);
}

START_TEST(test_each_change_is_logged)
{
    target_note(&target, 0, 1000);
    expect_log("");
    target_note(&target, -ENOENT, 2000);
    expect_log("TEST: cannot pass connections to TO=/x: the socket does not exist; clients wait");
    target_note(&target, -ENOENT, 3000);
    expect_log("");
    target_note(&target, -ECONNREFUSED, 4000);
    expect_log("nobody listens on the socket");
    target_note(&target, -EACCES, 4000);
    expect_log("systemctl edit dispatcherd-test-worker@.service");
    target_note(&target, 0, 2000 + 3 * USEC_PER_SEC);
    expect_log("TO=/x takes connections again after 3.0 s and 4 attempts");
}
END_TEST

START_TEST(test_that_it_is_full_is_logged_once_a_minute)
{
    uint64_t now = 1000;

    for (int i = 0; i < 10; i++, now += USEC_PER_SEC) {
        target_note(&target, -EAGAIN, now);
        expect_log(i == 0 ? "it is full; clients wait" : "");
        target_note(&target, 0, now + 1);
        expect_log(i == 0 ? "takes connections again" : "");
    }
    /* Other causes are, all the same. */
    target_note(&target, -ENOENT, now);
    expect_log("does not exist");
    target_note(&target, -EAGAIN, now);
    expect_log("");
    target_note(&target, -EAGAIN, now + 60 * USEC_PER_SEC);
    expect_log("it is full; clients wait (9 more times since the last line)");
}
END_TEST

SUITE("pass_target", set_up, worker_log_end, test_each_change_is_logged,
      test_that_it_is_full_is_logged_once_a_minute)
