/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/checks/hangup.h"

#include "base/fd.h"
#include "dispatcherd/control_scene.h"
#include "support/suite.h"

#include <sys/socket.h>
#include <unistd.h>

static struct control_scene scene;
static struct service *service;
static int client;

/* A connection that waits for a worker, and is watched. */
static void set_up(void)
{
    int pair[2];

    scene_init(&scene, "[SERVICE=SMTP]\nIMAGE=/bin/true\nPORT=2525\n");
    service = scene.services[0];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
    scene_add_connection(&scene, 0, NULL)->fd = pair[0];
    client = pair[1];
    hangup_watch_waiting(service);
}

static void tear_down(void)
{
    fd_close(client);
    scene_clear(&scene);
}

/* How often the loop has something to do. */
static unsigned run_loop(void)
{
    unsigned n = 0;

    while (n < 10 && sd_event_run(scene.context.event, 0) > 0)
        n++;
    return n;
}

START_TEST(test_a_client_that_stays_is_kept)
{
    ck_assert_uint_eq(run_loop(), 0);
    ck_assert_int_eq(write(client, "x", 1), 1);
    ck_assert_uint_eq(run_loop(), 0);
    ck_assert_uint_eq(service->pool->n_waiting, 1);
}
END_TEST

START_TEST(test_a_client_that_leaves_without_a_word_is_gone)
{
    ck_assert_int_eq(shutdown(client, SHUT_WR), 0);
    ck_assert_uint_gt(run_loop(), 0);
    ck_assert_uint_eq(service->pool->n_waiting, 0);
    ck_assert_uint_eq(service->statistics->n_gone, 1);
}
END_TEST

START_TEST(test_a_client_that_has_spoken_may_close_its_side)
{
    ck_assert_int_eq(write(client, "x", 1), 1);
    ck_assert_int_eq(shutdown(client, SHUT_WR), 0);
    ck_assert_uint_eq(run_loop(), 1); /* and the loop does not spin over it */
    ck_assert_uint_eq(service->pool->n_waiting, 1);
    fd_close(client);
    client = -1;
    ck_assert_uint_gt(run_loop(), 0);
    ck_assert_uint_eq(service->pool->n_waiting, 0);
    ck_assert_uint_eq(service->statistics->n_gone, 1);
}
END_TEST

SUITE("hangup", set_up, tear_down, test_a_client_that_stays_is_kept,
      test_a_client_that_leaves_without_a_word_is_gone,
      test_a_client_that_has_spoken_may_close_its_side)
