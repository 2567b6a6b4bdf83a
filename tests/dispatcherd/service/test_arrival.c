/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What becomes of a connection that was just accepted. */
#include "access/tcp.h"
#include "base/fd.h"
#include "base/time.h"
#include "dispatcherd/control_scene.h"
#include "dispatcherd/report/events.h"
#include "dispatcherd/service/arrival.h"
#include "support/suite.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

static struct control_scene scene;
static struct service *service;
static struct listener *listener;
static int socket_fd, client;
static struct address peer;
static char last_line[1024];

static void take(_unused_ struct follower *follower, json_t *event)
{
    if (strcmp(json_string_value(json_object_get(event, "event")), "message") == 0)
        snprintf(last_line, sizeof(last_line), "%s",
                 json_string_value(json_object_get(event, "text")));
}

static struct follower follower = {.take = take};

static void begin(const char *options, bool is_tls)
{
    char text[512];

    snprintf(text, sizeof(text), "[SERVICE=TEST]\nPORT=25\nIMAGE=/bin/true\n%s", options);
    scene_init(&scene, text);
    scene_admit(&scene, "");
    service = scene.services[0];
    listener_remove(service, 0);
    socket_fd = tcp_listen(false);
    int fd = socket_fd;
    ck_assert_int_eq(listener_add(service, &fd, is_tls, true), 0);
    listener = &service->listeners[0];
    ck_assert_int_eq(address_parse("192.0.2.7", &peer), 0);
    peer.port = 4711;
}

static void set_up(void)
{
    client = -1;
    last_line[0] = '\0';
    events_follow(&follower);
}

static void tear_down(void)
{
    events_leave(&follower);
    fd_close(client);
    scene_clear(&scene);
}

/* A client connects, and its connection is taken in as one of `peer`. */
static void arrive(void)
{
    fd_close(client);
    client = tcp_connect(socket_fd);
    int fd = tcp_accept(socket_fd);
    ck_assert_int_eq(arrival_take_in(listener, &fd, peer), 1);
    ck_assert_int_eq(fd, -1);
}

static const struct connection *waiting(void)
{
    const struct connection *connection = TAILQ_FIRST(&service->waiting);

    ck_assert_ptr_nonnull(connection);
    return connection;
}

START_TEST(test_it_waits_for_a_worker_with_both_addresses)
{
    begin("", true);
    uint64_t before = time_now_usec(CLOCK_MONOTONIC);
    listener->stuck_since = 1;
    arrive();
    const struct connection *connection = waiting();
    ck_assert_int_eq(connection->state, CONNECTION_WAITING);
    ck_assert(address_equal(&connection->peer, &peer));
    ck_assert(address_equal(&connection->local, &listener->address));
    ck_assert(connection->is_tls);
    ck_assert_uint_ge(connection->accepted_at, before);
    ck_assert_uint_ne(connection->id, 0);
    ck_assert_uint_eq(service->pool->n_waiting, 1);
    ck_assert_uint_eq(service->statistics->n_accepted, 1);
    ck_assert_uint_eq(listener->stuck_since, 0);
}
END_TEST

/* PORT_ACCESS decides by the address that the client has connected to. */
START_TEST(test_behind_a_wildcard_the_socket_tells_the_address)
{
    begin("", false);
    const struct address bound = listener->address;

    memset(listener->address.bytes, 0, sizeof(listener->address.bytes));
    ck_assert(address_is_wildcard(&listener->address));
    arrive();
    ck_assert(address_equal(&waiting()->local, &bound));
    ck_assert(!waiting()->is_tls);
}
END_TEST

START_TEST(test_without_its_local_address_it_is_rejected)
{
    begin("", false);
    int fd = eventfd(0, EFD_CLOEXEC);

    memset(listener->address.bytes, 0, sizeof(listener->address.bytes));
    ck_assert_int_eq(arrival_take_in(listener, &fd, peer), 1);
    ck_assert_ptr_null(TAILQ_FIRST(&service->waiting));
    ck_assert_uint_eq(service->statistics->n_accepted, 1);
    ck_assert_uint_eq(service->statistics->n_rejected[REJECTED_FOR_ERROR], 1);
    ck_assert_uint_eq(service->pool->n_checking + service->pool->n_waiting, 0);
    ck_assert_str_eq(last_line,
                     "closing a connection because its check failed: cannot determine the "
                     "local address of a connection: Socket operation on non-socket");
}
END_TEST

START_TEST(test_the_checks_come_before_the_worker)
{
    begin("MAX_CONNS_PER_ADDRESS=1\n", false);
    arrive();
    arrive();
    ck_assert_uint_eq(service->pool->n_waiting, 1);
    ck_assert_uint_eq(service->statistics->n_accepted, 2);
    ck_assert_uint_eq(service->statistics->n_rejected[REJECTED_FOR_ADDRESS], 1);
    ck_assert(inet_pton(AF_INET, "192.0.2.8", peer.bytes) == 1);
    arrive();
    ck_assert_uint_eq(service->pool->n_waiting, 2);
}
END_TEST

START_TEST(test_each_has_an_identifier_of_its_own_and_a_line)
{
    begin("DEBUG=16%20\n", false);
    arrive();
    uint64_t first = waiting()->id;
    ck_assert_ptr_nonnull(strstr(last_line, "connection from 192.0.2.7:4711 to 127.0.0.1:"));
    arrive();
    ck_assert_uint_ne(TAILQ_LAST(&service->waiting, connection_queue)->id, first);
}
END_TEST

SUITE("arrival", set_up, tear_down, test_it_waits_for_a_worker_with_both_addresses,
      test_behind_a_wildcard_the_socket_tells_the_address,
      test_without_its_local_address_it_is_rejected, test_the_checks_come_before_the_worker,
      test_each_has_an_identifier_of_its_own_and_a_line)
