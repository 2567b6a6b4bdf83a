/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* dispatcherctl stop, start and restart, as a service and its workers see them. */
#include "access/tcp.h"
#include "base/fd.h"
#include "dispatcherd/manager_scene.h"
#include "dispatcherd/service/listener.h"
#include "dispatcherd/service/operations.h"
#include "support/suite.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

#define OPTIONS                                                                                    \
    "IMAGE=/bin/true\nMIN_PROCS=1\nMAX_PROCS=3\nMAX_CONNS=2\nMAX_SHUTDOWN=1\nDEBUG=16%%4\n"        \
    "INTERFACE_ADDRESS=127.0.0.1\n"

static struct manager_scene scene;
static struct service *service;
static struct played_packet packet;

static void run(void)
{
    manager_scene_run(&scene);
}

static void begin(uint16_t port)
{
    char text[256];

    snprintf(text, sizeof(text), "[SERVICE=SMTP]\nPORT=%u\n" OPTIONS, port);
    manager_scene_start(&scene, text, NULL);
    service = scene.manager.services[0];
}

static void set_up(void)
{
    begin(2525);
    manager_scene_open(&scene, 0);
    played_worker_gets_ready(0, 2, run);
}

static void tear_down(void)
{
    manager_scene_end(&scene);
}

START_TEST(test_stop_drains_and_accepts_nobody)
{
    operation_stop(service);
    ck_assert(service->pool->is_stopping);
    ck_assert_int_eq(played_worker_hears_type(0), MESSAGE_STOP);
    ck_assert_str_eq(scene.line, "stopped on request; sessions may finish");
    int client = tcp_connect(scene.sockets[0]);
    run();
    ck_assert_uint_eq(service->statistics->n_accepted, 0);
    ck_assert_uint_eq(played_workers_n_starts(), 1);
    fd_close(client);
    /* Its socket is the service manager's: clients wait there. */
    ck_assert_uint_eq(service->n_listeners, 1);
}
END_TEST

START_TEST(test_start_serves_those_who_have_waited)
{
    operation_stop(service);
    int client = tcp_connect(scene.sockets[0]);
    run();
    ck_assert_int_eq(operation_start(service), 0);
    ck_assert_str_eq(scene.line, "started on request");
    run();
    ck_assert(!service->pool->is_stopping);
    ck_assert_uint_eq(service->statistics->n_accepted, 1);
    ck_assert_uint_eq(played_workers_n_starts(), 2);
    fd_close(client);
}
END_TEST

START_TEST(test_twice_is_once)
{
    ck_assert_int_eq(operation_start(service), 0);
    ck_assert_str_eq(scene.lines, "");
    operation_stop(service);
    ck_assert_int_eq(played_worker_hears_type(0), MESSAGE_STOP);
    manager_scene_forget_lines(&scene);
    operation_stop(service);
    ck_assert_str_eq(scene.lines, "");
    ck_assert_int_eq(played_worker_hears_type(0), 0);
}
END_TEST

/* Of two workers, only one leaves at a time, and none before another has its place. */
START_TEST(test_restart_replaces_one_after_another)
{
    int client = tcp_connect(scene.sockets[0]);

    run();
    ck_assert_int_eq(played_worker_hears(0, &packet), MESSAGE_CONNECTION);
    fd_close(packet.fds[0]);
    ck_assert_uint_eq(operation_restart(service), 1);
    ck_assert_str_eq(scene.line, "restarted on request; replacing its workers one after another");
    ck_assert_uint_eq(played_workers_n_starts(), 2);
    ck_assert_int_eq(played_worker_hears_type(0), 0);
    played_worker_gets_ready(1, 2, run);
    ck_assert_int_eq(played_worker_hears_type(0), MESSAGE_DRAIN);
    /* The one that drains is not counted again. */
    ck_assert_uint_eq(operation_replace_workers(service), 1);
    fd_close(client);
}
END_TEST

START_TEST(test_debug_is_for_the_service_and_its_workers)
{
    operation_set_debug(service, 0x20);
    ck_assert_uint_eq(service->options->debug, 0x20);
    ck_assert_uint_eq(service->configured_debug, 4);
    ck_assert_int_eq(played_worker_hears(0, &packet), MESSAGE_DEBUG);
    ck_assert_uint_eq(packet.message.value, 0x20);
}
END_TEST

static uint16_t port_of(int fd)
{
    struct sockaddr_in address;
    socklen_t length = sizeof(address);

    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    return ntohs(address.sin_port);
}

/* By hand: the ports are closed, and bound again, which may fail. */
START_TEST(test_our_own_ports_are_given_up_and_taken_back)
{
    manager_scene_end(&scene);
    int fd = tcp_listen(false);
    uint16_t port = port_of(fd);
    begin(port);
    fd_close(fd);
    operation_stop(service);
    ck_assert_int_eq(operation_start(service), 0);
    ck_assert_uint_eq(service->n_listeners, 1);
    ck_assert(!service->listeners[0].is_inherited);
    operation_stop(service);
    ck_assert_uint_eq(service->n_listeners, 0);

    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    ck_assert_int_eq(listen(fd, 1), 0);
    ck_assert_int_eq(operation_start(service), -EADDRINUSE);
    ck_assert(service->pool->is_stopping);
    fd_close(fd);
    ck_assert_int_eq(operation_start(service), 0);
    ck_assert(!service->pool->is_stopping);
}
END_TEST

SUITE("operations", set_up, tear_down, test_stop_drains_and_accepts_nobody,
      test_start_serves_those_who_have_waited, test_twice_is_once,
      test_restart_replaces_one_after_another, test_debug_is_for_the_service_and_its_workers,
      test_our_own_ports_are_given_up_and_taken_back)
