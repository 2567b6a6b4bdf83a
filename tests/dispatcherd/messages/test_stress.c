/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/control_scene.h"
#include "dispatcherd/messages/stress.h"
#include "support/suite.h"

#include "base/fd.h"
#include "base/time.h"
#include "protocol/channel.h"

#include <errno.h>
#include <stdalign.h>
#include <sys/socket.h>

/* 20 places: under stress from 16 on, until no more than 12 are taken. */
static const char configuration[] = "[SERVICE=SMTP]\nIMAGE=/bin/true\nPORT=2525\n"
                                    "MIN_PROCS=1\nMAX_PROCS=2\nMAX_CONNS=10\n";

static struct control_scene scene;
static struct service *service;
static struct worker *knows, *does_not;
static int knower, other; /* their ends of the channels */
static uint64_t now;

static int give_channel(struct worker *worker)
{
    int fds[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
    worker->channel = fds[0];
    return fds[1];
}

static void set_up(void)
{
    scene_init(&scene, configuration);
    service = scene.services[0];
    knows = scene_add_worker(&scene, 0, 0, 100);
    knows->knows.stress = true;
    does_not = scene_add_worker(&scene, 0, 1, 101);
    knower = give_channel(knows);
    other = give_channel(does_not);
    now = service->alerts.waits_from;
}

static void tear_down(void)
{
    service->pool->n_active = 0;
    scene_clear(&scene);
    fd_close(knower);
    fd_close(other);
}

static uint64_t serve(unsigned n, uint64_t after_usec)
{
    now += after_usec;
    service->pool->n_active = n;
    return stress_look(service, now);
}

/* What the worker was told: 0 or 1, or -1: nothing. */
static int heard(int fd)
{
    alignas(8) uint8_t bytes[64];
    int fds[MESSAGE_FDS_MAX];
    struct message message;
    size_t n_fds;
    pid_t pid;
    ssize_t length = channel_receive(fd, bytes, sizeof(bytes), fds, &n_fds, &pid);

    if (length == -EAGAIN)
        return -1;
    ck_assert_int_eq(message_read(bytes, (size_t)length, &message), 0);
    ck_assert_int_eq(message.type, MESSAGE_STRESS);
    return (int)message.value;
}

START_TEST(test_begins_and_ends_with_a_distance)
{
    ck_assert_uint_eq(serve(15, 0), USEC_INFINITY);
    ck_assert_int_eq(heard(knower), -1);
    serve(16, USEC_PER_SEC);
    ck_assert_int_eq(heard(knower), 1);
    /* It wavers. */
    for (unsigned i = 0; i < 20; i++)
        serve(11 + i % 10, USEC_PER_SEC);
    ck_assert_int_eq(heard(knower), -1);
    ck_assert_uint_eq(serve(12, USEC_PER_SEC), now + 10 * USEC_PER_SEC);
    serve(12, 10 * USEC_PER_SEC);
    ck_assert_int_eq(heard(knower), 0);
    ck_assert_int_eq(heard(knower), -1);
    ck_assert_int_eq(heard(other), -1);
}
END_TEST

START_TEST(test_a_worker_that_drains_is_told_and_one_that_starts_is_not)
{
    pool_worker_draining(service->pool, 0, now);
    serve(20, USEC_PER_SEC);
    ck_assert_int_eq(heard(knower), 1);
    does_not->knows.stress = true;
    stress_tell_ready(does_not);
    ck_assert_int_eq(heard(other), 1);
    stress_tell_ready(does_not);
    ck_assert_int_eq(heard(other), 1);
}
END_TEST

START_TEST(test_a_worker_that_was_taken_over_is_told_of_calm_too)
{
    stress_tell_ready(knows);
    ck_assert_int_eq(heard(knower), -1);
    knows->start_reason = REASON_ADOPTED;
    stress_tell_ready(knows);
    ck_assert_int_eq(heard(knower), 0);
    serve(20, USEC_PER_SEC);
    ck_assert_int_eq(heard(knower), 1);
}
END_TEST

START_TEST(test_small_services_have_stress_too)
{
    service->pool_options.max_procs = service->pool_options.max_conns = 1;
    serve(0, 0);
    ck_assert_int_eq(heard(knower), -1);
    serve(1, 0);
    ck_assert_int_eq(heard(knower), 1);
    serve(0, 0);
    serve(0, 10 * USEC_PER_SEC);
    ck_assert_int_eq(heard(knower), 0);
}
END_TEST

SUITE("stress", set_up, tear_down, test_begins_and_ends_with_a_distance,
      test_a_worker_that_drains_is_told_and_one_that_starts_is_not,
      test_a_worker_that_was_taken_over_is_told_of_calm_too, test_small_services_have_stress_too)
