/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "access/tcp.h"
#include "base/fd.h"
#include "dispatcherd/control_scene.h"
#include "dispatcherd/service/listener.h"
#include "dispatcherd/service/spare_sockets.h"
#include "support/suite.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

static struct control_scene scene;
static struct service *service, *other;
static struct spare_sockets spare;

static void set_up(void)
{
    scene_init(&scene, "[SERVICE=SMTP]\nPORT=25\nTLS_PORT=465\nIMAGE=/bin/true\n"
                       "[SERVICE=SMTP-2]\nPORT=26\nIMAGE=/bin/true\n");
    service = scene.services[0];
    other = scene.services[1];
    listeners_free(service);
    listeners_free(other);
}

static void tear_down(void)
{
    spare_sockets_clear(&spare);
    scene_clear(&scene);
}

/* Returns the socket, which is spare from now on. */
static int add(const char *name)
{
    int listener = tcp_listen(false), fd = listener;

    ck_assert_int_eq(spare_sockets_add(&spare, scene.context.event, name, &fd), 0);
    ck_assert_int_eq(fd, -1);
    return listener;
}

/* In the kernel's queue they would wait for ever. */
START_TEST(test_its_clients_get_a_reset)
{
    int listener = add("smtp"), clients[3];
    char byte;

    for (unsigned i = 0; i < 3; i++)
        clients[i] = tcp_connect(listener);
    loop_while_busy(scene.context.event);
    for (unsigned i = 0; i < 3; i++) {
        ck_assert_int_eq(read(clients[i], &byte, 1), -1);
        ck_assert_int_eq(errno, ECONNRESET);
        fd_close(clients[i]);
    }
}
END_TEST

START_TEST(test_a_service_gets_those_with_its_name)
{
    int plain = add("smtp"), tls = add("SMTP-TLS"), others = add("smtp-2");

    ck_assert_int_eq(spare_sockets_give(&spare, service), 0);
    ck_assert_uint_eq(spare.n_items, 1);
    ck_assert_uint_eq(service->n_listeners, 2);
    ck_assert_int_eq(service->listeners[0].fd, plain);
    ck_assert(!service->listeners[0].is_tls);
    ck_assert_int_eq(service->listeners[1].fd, tls);
    ck_assert(service->listeners[1].is_tls);
    ck_assert(service->listeners[0].is_inherited);
    ck_assert_int_eq(spare_sockets_give(&spare, other), 0);
    ck_assert_uint_eq(spare.n_items, 0);
    ck_assert_int_eq(other->listeners[0].fd, others);
}
END_TEST

/* From then on, its clients are the service's, which has not accepted them yet. */
START_TEST(test_one_that_was_given_turns_nobody_away)
{
    int listener = add("smtp");

    ck_assert_int_eq(spare_sockets_give(&spare, service), 0);
    int client = tcp_connect(listener);
    ck_assert_uint_eq(loop_while_busy(scene.context.event), 0);
    fd_close(client);
}
END_TEST

START_TEST(test_a_service_that_goes_leaves_its_sockets)
{
    int plain = tcp_listen(false), tls = tcp_listen(false), fd = plain;
    struct address address;
    char name[48];

    ck_assert_int_eq(listener_add(service, &fd, false, true), 0);
    fd = tls;
    ck_assert_int_eq(listener_add(service, &fd, true, true), 0);
    uint16_t tls_port = service->listeners[1].address.port;
    spare_sockets_keep(&spare, service);
    ck_assert_uint_eq(service->n_listeners, 0);
    ck_assert_uint_eq(spare.n_items, 2);
    for (unsigned i = 0; i < 2; i++) {
        spare_sockets_describe(&spare, i, name, sizeof(name), &address);
        ck_assert_str_eq(name, "smtp");
    }
    spare_sockets_describe(&spare, 0, name, sizeof(name), &address);
    ck_assert_uint_eq(address.port, tls_port);
    ck_assert_int_eq(spare_sockets_give(&spare, service), 0);
    ck_assert_uint_eq(service->n_listeners, 2);
}
END_TEST

START_TEST(test_what_is_no_socket_is_refused_and_closed)
{
    int fd = eventfd(0, EFD_CLOEXEC), before = fd;

    ck_assert_int_eq(spare_sockets_add(&spare, scene.context.event, "smtp", &fd), -ENOTSOCK);
    ck_assert_int_eq(fd, -1);
    ck_assert_uint_eq(spare.n_items, 0);
    ck_assert_int_eq(close(before), -1);
    ck_assert_int_eq(errno, EBADF);
}
END_TEST

START_TEST(test_a_clear_set_is_usable)
{
    add("smtp");
    spare_sockets_clear(&spare);
    ck_assert_uint_eq(spare.n_items, 0);
    add("smtp");
    ck_assert_uint_eq(spare.n_items, 1);
}
END_TEST

SUITE("spare_sockets", set_up, tear_down, test_its_clients_get_a_reset,
      test_a_service_gets_those_with_its_name, test_one_that_was_given_turns_nobody_away,
      test_a_service_that_goes_leaves_its_sockets, test_what_is_no_socket_is_refused_and_closed,
      test_a_clear_set_is_usable)
