/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* How the daemon ends: by draining its workers, or by leaving them to a successor. */
#include "access/tcp.h"
#include "base/fd.h"
#include "base/time.h"
#include "dispatcherd/manager_scene.h"
#include "dispatcherd/stop.h"
#include "support/suite.h"

#include <string.h>
#include <unistd.h>

#define SMTP "[SERVICE=SMTP]\nPORT=2525\nIMAGE=/bin/true\nMIN_PROCS=1\nMAX_PROCS=1\nMAX_CONNS=4\n"

static struct manager_scene scene;
static struct manager *manager;
static struct played_packet packet;
static int client;

static void run(void)
{
    manager_scene_run(&scene);
}

static void set_up(void)
{
    client = -1;
    manager_scene_start(&scene, SMTP, NULL);
    manager = &scene.manager;
    manager_scene_open(&scene, 0);
}

static void tear_down(void)
{
    fd_close(client);
    manager_scene_end(&scene);
}

static bool has_ended(void)
{
    run();
    return sd_event_get_state(manager->context.event) == SD_EVENT_FINISHED;
}

/* The worker has a session. Returns its identifier. */
static uint64_t begin_session(void)
{
    struct connection_view view;
    size_t offset = 0;

    client = tcp_connect(scene.sockets[0]);
    run();
    ck_assert_int_eq(played_worker_hears(0, &packet), MESSAGE_CONNECTION);
    ck_assert(message_next_connection(&packet.message, &offset, &view));
    uint64_t id = view.record->id;
    fd_close(packet.fds[0]);
    played_worker_says_ids(0, MESSAGE_ACKNOWLEDGE, &id, 1);
    run();
    return id;
}

START_TEST(test_a_stop_drains_and_ends_with_the_last_worker)
{
    played_worker_gets_ready(0, 4, run);
    uint64_t id = begin_session();

    stop_begin(manager);
    ck_assert_int_eq(manager->state, MANAGER_STOPPING);
    ck_assert_uint_eq(manager->services[0]->n_listeners, 0);
    ck_assert(
        manager_scene_has_logged(&scene, "stopping; 1 connection may continue for up to 100 s"));
    ck_assert_int_eq(played_worker_hears(0, &packet), MESSAGE_STOP);
    ck_assert_uint_eq(packet.message.value, 100);
    ck_assert(!has_ended());
    played_worker_says_ids(0, MESSAGE_ENDED, &id, 1);
    ck_assert(!has_ended());
    ck_assert_uint_eq(manager_count_connections(manager), 0);
    manager_free_service(manager->services[0]);
    manager->n_services = 0;
    stop_check(manager);
    ck_assert(has_ended());
}
END_TEST

START_TEST(test_without_a_service_a_stop_is_over_at_once)
{
    manager_free_service(manager->services[0]);
    manager->n_services = 0;
    stop_begin(manager);
    ck_assert(has_ended());
}
END_TEST

START_TEST(test_the_time_limit_is_a_second_more_than_that_of_the_workers)
{
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);

    stop_begin(manager);
    ck_assert_uint_ge(manager->stop_timer.at, now + 101 * USEC_PER_SEC);
    ck_assert_uint_le(manager->stop_timer.at, time_now_usec(CLOCK_MONOTONIC) + 101 * USEC_PER_SEC);
}
END_TEST

/* The second signal of an impatient administrator. */
START_TEST(test_a_second_stop_cuts_the_sessions)
{
    played_worker_gets_ready(0, 4, run);
    begin_session();
    stop_begin(manager);
    ck_assert_int_eq(played_worker_hears_type(0), MESSAGE_STOP);
    stop_begin(manager);
    ck_assert(!has_ended());
    ck_assert(manager->is_cut);
    ck_assert(manager_scene_has_logged(
        &scene, "closing 1 connection that did not end in the time for stopping"));
    /* The channel is closed, which ends the unit; if it does not end, the daemon does. */
    ck_assert_int_eq(played_worker_hears_type(0), -1);
    timer_set_at(&manager->stop_timer, 0);
    ck_assert(has_ended());
}
END_TEST

/* A stop of the unit has a job; there is none here, so a successor is expected. */
START_TEST(test_for_a_successor_the_workers_serve_on)
{
    played_worker_gets_ready(0, 4, run);
    begin_session();
    manager->has_successor_store = true;
    stop_begin(manager);
    ck_assert_int_eq(manager->state, MANAGER_LEAVING);
    ck_assert_uint_eq(manager->services[0]->n_listeners, 0);
    ck_assert(
        manager_scene_has_logged(&scene, "leaving 1 worker with 1 connection to the successor"));
    ck_assert(has_ended());
    ck_assert_int_eq(played_worker_hears_type(0), 0);
}
END_TEST

/* It is neither a worker's nor stored, so it delays the end, but not for long. */
START_TEST(test_an_accepted_connection_delays_a_successor_for_a_limited_time)
{
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);

    client = tcp_connect(scene.sockets[0]);
    run();
    ck_assert_uint_eq(manager->services[0]->pool->n_waiting, 1);
    manager->has_successor_store = true;
    stop_begin(manager);
    ck_assert(!has_ended());
    ck_assert_uint_ge(manager->leave_until, now);
    ck_assert_uint_le(manager->leave_until, time_now_usec(CLOCK_MONOTONIC) + 5 * USEC_PER_SEC);
    stop_begin(manager);
    ck_assert(has_ended());
}
END_TEST

/* Each client would otherwise get a reset from a daemon that serves nobody. */
START_TEST(test_spare_sockets_are_closed_first)
{
    int fd = tcp_listen(false);

    ck_assert_int_eq(spare_sockets_add(&manager->spare_sockets, manager->context.event, "old", &fd),
                     0);
    stop_begin(manager);
    ck_assert_uint_eq(manager->spare_sockets.n_items, 0);
}
END_TEST

SUITE("stop", set_up, tear_down, test_a_stop_drains_and_ends_with_the_last_worker,
      test_without_a_service_a_stop_is_over_at_once,
      test_the_time_limit_is_a_second_more_than_that_of_the_workers,
      test_a_second_stop_cuts_the_sessions, test_for_a_successor_the_workers_serve_on,
      test_an_accepted_connection_delays_a_successor_for_a_limited_time,
      test_spare_sockets_are_closed_first)
