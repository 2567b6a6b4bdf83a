/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What is done about workers that make others wait who close their clients' sockets. */
#include "support/suite.h"

#include "base/fd.h"
#include "base/time.h"
#include "dispatcherd/control_scene.h"
#include "dispatcherd/lingering.h"
#include "dispatcherd/sockets/handed_fd.h"
#include "dispatcherd/store/closer.h"
#include "dispatcherd/store/stall_guard.h"

#include <sys/socket.h>

static struct control_scene scene;
static struct service *bad, *good;

static void setup(void)
{
    scene_init(&scene, "[SERVICE=BAD]\nPORT=25\nIMAGE=/bin/true\n"
                       "[SERVICE=GOOD]\nPORT=26\nIMAGE=/bin/true\n");
    bad = scene.services[0];
    good = scene.services[1];
    ck_assert_int_eq(stall_guard_start(), 0);
}

static void teardown(void)
{
    closer_end();
    stall_guard_stop();
    scene_clear(&scene);
}

static void close_lingering(uint64_t now)
{
    struct lingering lingering = lingering_make();
    uint64_t before = time_now_usec(CLOCK_MONOTONIC);

    handed_fd_close(&bad->caution, bad->options->name, lingering.server, now);
    ck_assert_uint_lt(seconds_since(before), LINGER_SEC / 2);
    lingering_read_to_end(&lingering);
}

static void close_honest(struct service *service, uint64_t now)
{
    handed_fd_close(&service->caution, service->options->name,
                    socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), now);
}

START_TEST(test_the_second_one_that_waits_changes_the_way)
{
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);

    setup();
    close_lingering(now);
    ck_assert_uint_gt(bad->caution.suspect_until, now);
    ck_assert_uint_eq(bad->caution.closer_until, 0);
    close_honest(bad, now);
    ck_assert_uint_eq(bad->caution.closer_until, 0);
    close_lingering(now + 1);
    ck_assert_uint_gt(bad->caution.closer_until, now);
    for (int i = 0; i < 20; i++)
        close_lingering(now + 2);
    ck_assert_uint_eq(good->caution.suspect_until, 0);
    /* In the end it is believed again. */
    close_honest(bad, bad->caution.closer_until);
    ck_assert_uint_eq(good->caution.closer_until, 0);
    teardown();
}
END_TEST

START_TEST(test_a_reset_is_no_offence)
{
    const struct linger at_once = {.l_onoff = 1};
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);

    setup();
    good->caution.suspect_until = now + 1;
    struct lingering lingering = lingering_make();
    ck_assert_int_eq(setsockopt(lingering.server, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)),
                     0);
    handed_fd_close(&good->caution, good->options->name, lingering.server, now);
    ck_assert_uint_eq(good->caution.closer_until, 0);
    fd_close(lingering.client);
    teardown();
}
END_TEST

SUITE("handed_fd", NULL, NULL, test_the_second_one_that_waits_changes_the_way,
      test_a_reset_is_no_offence)
