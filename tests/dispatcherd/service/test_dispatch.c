/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What the policy decides is carried out: with clients on a real socket, and workers that the test
 * plays. */
#include "access/tcp.h"
#include "base/fd.h"
#include "base/time.h"
#include "dispatcherd/control_scene.h"
#include "dispatcherd/played_workers.h"
#include "dispatcherd/report/events.h"
#include "dispatcherd/service/dispatch.h"
#include "dispatcherd/service/listener.h"
#include "support/suite.h"

#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    CLIENTS_MAX = 8
};

static struct control_scene scene;
static struct service *service;
static int socket_fd; /* the service's, as long as it has it */
static int clients[CLIENTS_MAX];
static unsigned n_clients;
static char last_line[1024];
static struct played_packet packet;

static void take(_unused_ struct follower *follower, json_t *event)
{
    if (strcmp(json_string_value(json_object_get(event, "event")), "message") == 0)
        snprintf(last_line, sizeof(last_line), "%s",
                 json_string_value(json_object_get(event, "text")));
}

static struct follower follower = {.take = take};

static void run(void)
{
    loop_while_busy(scene.context.event);
}

static void begin(const char *options)
{
    char text[512];

    snprintf(text, sizeof(text), "[SERVICE=TEST]\nPORT=2525\nIMAGE=/bin/true\n%s", options);
    scene_init(&scene, text);
    scene_admit(&scene, "");
    scene.context.spawner = &played_spawner;
    scene.context.stop_limit_sec = 100;
    service = scene.services[0];
    service->dispatch = dispatch_run;
    listeners_free(service);
    socket_fd = tcp_listen(false);
    int fd = socket_fd;
    ck_assert_int_eq(listener_add(service, &fd, false, true), 0);
    ck_assert_int_eq(listeners_start(service), 0);
    service_touch(service);
}

static void set_up(void)
{
    n_clients = 0;
    last_line[0] = '\0';
    events_follow(&follower);
}

static void tear_down(void)
{
    events_leave(&follower);
    for (unsigned i = 0; i < n_clients; i++)
        fd_close(clients[i]);
    scene_clear(&scene);
    played_workers_clear();
}

static void connect_client(void)
{
    ck_assert_uint_lt(n_clients, CLIENTS_MAX);
    clients[n_clients++] = tcp_connect(socket_fd);
}

/* Worker `i` gets one connection, which is that of the client; it acknowledges it. Returns its
 * identifier. */
static uint64_t check_serves(unsigned i, unsigned client)
{
    struct connection_view view;
    size_t offset = 0;
    char byte = 0;

    ck_assert_int_eq(played_worker_hears(i, &packet), MESSAGE_CONNECTION);
    ck_assert_uint_eq(packet.n_fds, 1);
    ck_assert(message_next_connection(&packet.message, &offset, &view));
    uint64_t id = view.record->id;
    ck_assert(!message_next_connection(&packet.message, &offset, &view));
    ck_assert_int_eq(write(packet.fds[0], "2", 1), 1);
    fd_close(packet.fds[0]);
    ck_assert_int_eq(read(clients[client], &byte, 1), 1);
    ck_assert_int_eq(byte, '2');
    played_worker_says_ids(i, MESSAGE_ACKNOWLEDGE, &id, 1);
    run();
    return id;
}

START_TEST(test_a_client_gets_to_the_worker_that_was_started_for_it)
{
    begin("MIN_PROCS=0\nMAX_PROCS=1\nMAX_CONNS=2\n");
    run();
    ck_assert_uint_eq(played_workers_n_starts(), 0);
    connect_client();
    run();
    ck_assert_uint_eq(played_workers_n_starts(), 1);
    ck_assert_uint_eq(service->pool->n_waiting, 1);
    played_worker_gets_ready(0, 2, run);
    ck_assert_uint_eq(service->pool->n_handoffs, 1);
    check_serves(0, 0);
    ck_assert_uint_eq(service->pool->n_handoffs, 0);
    ck_assert_uint_eq(service->pool->n_active, 1);
    ck_assert_uint_eq(service->statistics->n_admitted, 1);
}
END_TEST

START_TEST(test_the_minimum_is_started_at_once)
{
    begin("MIN_PROCS=3\nMAX_PROCS=5\nMAX_CONNS=2\n");
    ck_assert_uint_eq(played_workers_n_starts(), 3);
    for (unsigned i = 0; i < 3; i++)
        played_worker_gets_ready(i, 2, run);
    ck_assert_uint_eq(played_workers_n_starts(), 3);
    ck_assert_uint_eq(service->pool->n_ready, 3);
}
END_TEST

START_TEST(test_the_least_busy_worker_gets_the_next)
{
    begin("MIN_PROCS=2\nMAX_PROCS=2\nMAX_CONNS=4\n");
    played_worker_gets_ready(0, 4, run);
    connect_client();
    run();
    check_serves(0, 0);
    played_worker_gets_ready(1, 4, run);
    connect_client();
    run();
    check_serves(1, 1);
    ck_assert_int_eq(played_worker_hears_type(0), 0);
}
END_TEST

/* It stays in the kernel's queue, where it survives the daemon, and comes when there is a place. */
START_TEST(test_a_client_without_a_place_is_not_accepted)
{
    begin("MIN_PROCS=1\nMAX_PROCS=1\nMAX_CONNS=1\n");
    played_worker_gets_ready(0, 1, run);
    connect_client();
    run();
    uint64_t id = check_serves(0, 0);
    connect_client();
    run();
    ck_assert_uint_eq(service->statistics->n_accepted, 1);
    ck_assert_uint_eq(service->pool->n_waiting, 0);
    ck_assert_int_eq(played_worker_hears_type(0), 0);
    played_worker_says_ids(0, MESSAGE_ENDED, &id, 1);
    run();
    ck_assert_uint_eq(service->statistics->n_accepted, 2);
    check_serves(0, 1);
}
END_TEST

/* The same number of hand-offs is open at most, whatever the workers' places. */
START_TEST(test_open_handoffs_have_a_limit)
{
    begin("MIN_PROCS=1\nMAX_PROCS=1\nMAX_CONNS=8\nMAX_HANDOFFS=1\n");
    played_worker_gets_ready(0, 8, run);
    connect_client();
    connect_client();
    run();
    ck_assert_uint_eq(service->pool->n_handoffs, 1);
    check_serves(0, 0);
    ck_assert_uint_eq(service->pool->n_handoffs, 1);
    check_serves(0, 1);
    ck_assert_uint_eq(service->pool->n_handoffs, 0);
}
END_TEST

START_TEST(test_a_failed_start_is_tried_again_later)
{
    played_workers_fail("it is not there");
    begin("MIN_PROCS=1\nMAX_PROCS=1\nMAX_CONNS=1\n");
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);

    ck_assert_uint_eq(played_workers_n_starts(), 1);
    ck_assert_str_eq(last_line, "cannot start a worker: it is not there");
    service_touch(service);
    run();
    ck_assert_uint_eq(played_workers_n_starts(), 1);
    ck_assert(timer_is_set(&service->timer));
    ck_assert_uint_gt(service->timer.at, now);
    played_workers_fail(NULL);
    pool_forget_failures(service->pool);
    service_touch(service);
    ck_assert_uint_eq(played_workers_n_starts(), 2);
    ck_assert_uint_eq(played_workers_n(), 1);
}
END_TEST

/* A worker that is outdated is told to drain as soon as another one has its place, not before. */
START_TEST(test_an_outdated_worker_drains_when_its_successor_is_ready)
{
    begin("MIN_PROCS=1\nMAX_PROCS=2\nMAX_CONNS=1\nMAX_SHUTDOWN=1\n");
    played_worker_gets_ready(0, 1, run);
    connect_client();
    run();
    check_serves(0, 0);
    pool_worker_outdated(service->pool, 0);
    service_touch(service);
    ck_assert_uint_eq(played_workers_n_starts(), 2);
    ck_assert_int_eq(played_worker_hears_type(0), 0);
    played_worker_gets_ready(1, 1, run);
    ck_assert_int_eq(played_worker_hears_type(0), MESSAGE_DRAIN);
    ck_assert_int_eq(played_worker_hears_type(1), 0);
}
END_TEST

START_TEST(test_a_service_that_stops_drains_within_the_limit)
{
    begin("MIN_PROCS=2\nMAX_PROCS=2\nMAX_CONNS=1\n");
    for (unsigned i = 0; i < 2; i++)
        played_worker_gets_ready(i, 1, run);
    pool_stop(service->pool);
    service_touch(service);
    for (unsigned i = 0; i < 2; i++) {
        ck_assert_int_eq(played_worker_hears(i, &packet), MESSAGE_STOP);
        ck_assert_uint_eq(packet.message.value, 100);
    }
    connect_client();
    run();
    ck_assert_uint_eq(service->statistics->n_accepted, 0);
}
END_TEST

/* It waits for a worker that will never be. */
START_TEST(test_a_service_that_stops_keeps_no_client_without_hope)
{
    char byte;

    begin("MIN_PROCS=0\nMAX_PROCS=1\nMAX_CONNS=1\n");
    played_workers_fail("it is not there");
    connect_client();
    run();
    ck_assert_uint_eq(service->pool->n_waiting, 1);
    pool_stop(service->pool);
    service_touch(service);
    ck_assert_str_eq(last_line, "closing 1 connection: no worker can be started");
    ck_assert_uint_eq(service->pool->n_waiting, 0);
    ck_assert_int_eq(read(clients[0], &byte, 1), 0);
}
END_TEST

/* More hand-offs than one turn has decisions: others have their turn, and none is forgotten. */
START_TEST(test_a_turn_has_an_end)
{
    enum {
        N = 300
    };

    begin("MIN_PROCS=8\nMAX_PROCS=8\nMAX_CONNS=50\n");
    for (unsigned i = 0; i < 8; i++)
        played_worker_gets_ready(i, 50, run);
    service->pool_options.max_handoffs = 2 * N;
    for (unsigned i = 0; i < N; i++) {
        struct connection *connection = scene_add_connection(&scene, 0, NULL);

        connection->fd = eventfd(0, EFD_CLOEXEC);
    }
    service_touch(service);
    ck_assert_uint_gt(service->pool->n_handoffs, N / 2);
    ck_assert_uint_gt(service->pool->n_waiting, 0);
    ck_assert_uint_le(service->timer.at, time_now_usec(CLOCK_MONOTONIC));
    run();
    ck_assert_uint_eq(service->pool->n_waiting, 0);
    ck_assert_uint_eq(service->pool->n_handoffs, N);
}
END_TEST

SUITE("dispatch", set_up, tear_down, test_a_client_gets_to_the_worker_that_was_started_for_it,
      test_the_minimum_is_started_at_once, test_the_least_busy_worker_gets_the_next,
      test_a_client_without_a_place_is_not_accepted, test_open_handoffs_have_a_limit,
      test_a_failed_start_is_tried_again_later,
      test_an_outdated_worker_drains_when_its_successor_is_ready,
      test_a_service_that_stops_drains_within_the_limit,
      test_a_service_that_stops_keeps_no_client_without_hope, test_a_turn_has_an_end)
