/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "base/fd.h"
#include "dispatcherd/control_scene.h"
#include "dispatcherd/process/spawner.h"
#include "dispatcherd/report/events.h"
#include "dispatcherd/worker/worker_end.h"
#include "protocol/channel.h"
#include "support/simulated_clock.h"
#include "support/suite.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct control_scene scene;
static struct service *service;
static struct worker *worker;
static int its_end; /* of the channel */
static unsigned n_ended;
static char ended[256];

static void take(_unused_ struct follower *follower, json_t *event)
{
    if (strcmp(json_string_value(json_object_get(event, "event")), "worker ended") != 0)
        return;
    n_ended++;
    snprintf(ended, sizeof(ended), "%s", json_string_value(json_object_get(event, "text")));
}

static struct follower follower = {.take = take};

static void set_up(void)
{
    int fds[2];

    scene_init(&scene, "[SERVICE=SMTP]\nIMAGE=/bin/true\nPORT=2525\nMIN_PROCS=0\nMAX_PROCS=2\n"
                       "MAX_CONNS=10\nHISTORICAL_TIME=60\n");
    service = scene.services[0];
    worker = scene_add_worker(&scene, 0, 0, 4711);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
    worker->channel = fds[0];
    its_end = fds[1];
    n_ended = 0;
    events_follow(&follower);
}

static void tear_down(void)
{
    events_leave(&follower);
    scene_clear(&scene);
    its_end = fd_close(its_end);
}

static struct connection *hand_off(void)
{
    struct connection *connection = scene_add_connection(&scene, 0, NULL);

    connection_hand_off(connection, worker, simulated_now);
    return connection;
}

static void acknowledge(uint64_t id)
{
    const struct {
        struct message_header header;
        uint64_t id;
    } packet = {{MESSAGE_ACKNOWLEDGE, 1}, id};

    ck_assert_int_eq(channel_send(its_end, &packet, sizeof(packet), NULL, 0), 0);
}

START_TEST(test_a_worker_that_was_never_useful_is_a_failed_start)
{
    clock_advance(POOL_GOOD_USEC - 1);
    worker_leave_pool(worker);
    ck_assert(worker->is_failed_start);
    ck_assert(service->failed_starts.has_any);
    ck_assert_uint_eq(service->pool->n_failed_starts, 1);
    ck_assert_int_eq(worker_in_pool(worker)->state, POOL_WORKER_DRAINING);
    /* It is reported when the process has ended. */
    ck_assert_str_eq(service->failed_starts.error, "");
    ck_assert_uint_eq(service->statistics->n_failed_starts, 0);
}
END_TEST

START_TEST(test_a_worker_is_useful_after_some_time)
{
    clock_advance(POOL_GOOD_USEC);
    worker_leave_pool(worker);
    ck_assert(!worker->is_failed_start);
    ck_assert(!service->failed_starts.has_any);
    ck_assert_uint_eq(service->pool->n_failed_starts, 0);
    ck_assert_int_eq(worker_in_pool(worker)->state, POOL_WORKER_DRAINING);
}
END_TEST

START_TEST(test_a_worker_is_useful_with_its_first_connection)
{
    scene_add_connection(&scene, 0, worker);
    worker_leave_pool(worker);
    ck_assert(!worker->is_failed_start);
    ck_assert(!service->failed_starts.has_any);
}
END_TEST

START_TEST(test_a_worker_leaves_the_pool_once)
{
    worker_leave_pool(worker);
    worker_leave_pool(worker);
    ck_assert(worker->is_failed_start);
    ck_assert_uint_eq(service->pool->n_failed_starts, 1);
    ck_assert_uint_eq(service->pool->n_draining, 1);
}
END_TEST

START_TEST(test_a_worker_that_is_not_ready_has_nothing_to_leave)
{
    int fd = -1;
    struct worker *young = worker_new(service, 1, REASON_DEMAND, &fd, simulated_now);

    worker_leave_pool(young);
    ck_assert_int_eq(worker_in_pool(young)->state, POOL_WORKER_STARTING);
    ck_assert(!young->is_failed_start);
    ck_assert(!service->failed_starts.has_any);
}
END_TEST

START_TEST(test_the_channel_of_a_child_is_closed)
{
    char byte;

    worker_close_channel(worker);
    ck_assert_int_eq(worker->channel, -1);
    ck_assert_int_eq(worker->peer, -1);
    ck_assert_int_eq(read(its_end, &byte, 1), 0);
    ck_assert_int_eq(worker_in_pool(worker)->state, POOL_WORKER_DRAINING);
}
END_TEST

/* To see the end of its unit. */
START_TEST(test_the_descriptor_of_a_unit_is_kept)
{
    char byte;
    int channel = worker->channel;

    scene.context.spawner = &spawner_unit;
    worker->is_child = false;
    worker_close_channel(worker);
    ck_assert_int_eq(worker->channel, -1);
    ck_assert_int_eq(worker->peer, channel);
    /* It is shut down all the same. */
    ck_assert_int_eq(read(its_end, &byte, 1), 0);
    scene.context.spawner = NULL;
    worker->is_child = true;
}
END_TEST

START_TEST(test_what_was_not_acknowledged_waits_again_in_its_order)
{
    struct connection *active = scene_add_connection(&scene, 0, worker);
    const struct connection *first = hand_off(), *second = hand_off(), *third = hand_off();

    worker_close_channel(worker);
    ck_assert_uint_eq(worker->n_held, 1);
    ck_assert_ptr_eq(worker->held[0], active);
    ck_assert_int_eq(active->state, CONNECTION_ACTIVE);
    ck_assert_uint_eq(service->pool->n_waiting, 3);
    ck_assert_uint_eq(service->pool->n_handoffs, 0);
    ck_assert_uint_eq(service->statistics->n_failed_handoffs, 3);
    ck_assert_ptr_eq(TAILQ_FIRST(&service->waiting), first);
    ck_assert_ptr_eq(TAILQ_NEXT(first, queue_link), second);
    ck_assert_ptr_eq(TAILQ_NEXT(second, queue_link), third);
    ck_assert_ptr_null(TAILQ_NEXT(third, queue_link));
}
END_TEST

START_TEST(test_what_it_wrote_before_is_still_handled)
{
    const struct connection *taken = hand_off(), *untaken = hand_off();

    acknowledge(taken->id);
    fd_close(its_end);
    its_end = -1;
    worker_close_channel(worker);
    ck_assert_int_eq(taken->state, CONNECTION_ACTIVE);
    ck_assert_int_eq(untaken->state, CONNECTION_WAITING);
    /* It has taken one, so it was useful. */
    ck_assert(!worker->is_failed_start);
    ck_assert_uint_eq(service->pool->n_failed_starts, 0);
}
END_TEST

START_TEST(test_the_end_breaks_what_it_still_holds)
{
    const siginfo_t info = {.si_code = CLD_KILLED, .si_status = SIGKILL};

    scene_add_connection(&scene, 0, worker);
    scene_add_connection(&scene, 0, worker);
    worker_close_channel(worker);
    worker_conclude(worker, &info);
    ck_assert_uint_eq(worker->n_held, 0);
    ck_assert_uint_eq(service->pool->n_active, 0);
    ck_assert_uint_eq(service->statistics->n_broken, 2);
    ck_assert_uint_eq(n_ended, 1);
    ck_assert_str_eq(ended, "worker 4711 died of signal 9 (Killed) after 2 connections");
    const struct history_worker *kept =
        history_worker(&service->state->history, 0, 60 * USEC_PER_SEC, simulated_now);
    ck_assert_ptr_nonnull(kept);
    ck_assert_str_eq(kept->cause, "died of signal 9 (Killed)");
    ck_assert_int_eq(kept->signal, SIGKILL);
    ck_assert_int_eq(kept->exit_status, -1);
    /* The history names those that were broken. */
    ck_assert_uint_eq(kept->n_current, 2);
    ck_assert_uint_eq(kept->n_total, 2);
    const struct history_connection *broken =
        history_connection(&service->state->history, 0, 60 * USEC_PER_SEC, simulated_now);
    ck_assert_ptr_nonnull(broken);
    ck_assert_uint_eq(broken->end, HISTORY_BROKEN);
    ck_assert_int_eq(broken->worker_pid, 4711);
}
END_TEST

START_TEST(test_an_end_without_connections_breaks_none)
{
    const siginfo_t info = {.si_code = CLD_EXITED, .si_status = 0};

    clock_advance(POOL_GOOD_USEC);
    worker_close_channel(worker);
    worker_conclude(worker, &info);
    ck_assert_uint_eq(service->statistics->n_broken, 0);
    ck_assert_uint_eq(service->statistics->n_failed_starts, 0);
    ck_assert_str_eq(ended, "worker 4711 exited with status 0 after 0 connections");
}
END_TEST

START_TEST(test_a_failed_start_is_reported_at_the_end)
{
    const siginfo_t info = {.si_code = CLD_EXITED, .si_status = 1};

    worker_close_channel(worker);
    ck_assert_str_eq(service->failed_starts.error, "");
    worker_conclude(worker, &info);
    ck_assert_uint_eq(service->statistics->n_failed_starts, 1);
    ck_assert_str_eq(service->failed_starts.error, "/bin/true, process 4711, exited with status 1");
}
END_TEST

SUITE("worker_end", set_up, tear_down, test_a_worker_that_was_never_useful_is_a_failed_start,
      test_a_worker_is_useful_after_some_time, test_a_worker_is_useful_with_its_first_connection,
      test_a_worker_leaves_the_pool_once, test_a_worker_that_is_not_ready_has_nothing_to_leave,
      test_the_channel_of_a_child_is_closed, test_the_descriptor_of_a_unit_is_kept,
      test_what_was_not_acknowledged_waits_again_in_its_order,
      test_what_it_wrote_before_is_still_handled, test_the_end_breaks_what_it_still_holds,
      test_an_end_without_connections_breaks_none, test_a_failed_start_is_reported_at_the_end)
