/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* On a machine without IPv6, what needs a socket of it is left out. */
#include "base/fd.h"
#include "dispatcherd/control_scene.h"
#include "dispatcherd/report/events.h"
#include "dispatcherd/report/message_ids.h"
#include "dispatcherd/service/families.h"
#include "dispatcherd/service/listener.h"
#include "support/suite.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static struct control_scene scene;
static struct service *service;
static bool has_ipv6;
static unsigned n_lines;
static char last_line[1024];

static void take(_unused_ struct follower *follower, json_t *event)
{
    const char *id = json_string_value(json_object_get(event, "message_id"));

    ck_assert_str_eq(id, MESSAGE_ID_SOCKET_MISMATCH);
    n_lines++;
    snprintf(last_line, sizeof(last_line), "%s", json_string_value(json_object_get(event, "text")));
}

static struct follower follower = {.take = take};

static void set_up(void)
{
    scene_init(&scene, "[SERVICE=SMTP]\nIMAGE=/bin/true\nPORT=2525\n");
    service = scene.services[0];
    listeners_free(service); /* that of the scene has no address */
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    has_ipv6 = fd >= 0;
    fd_close(fd);
    n_lines = 0;
    events_follow(&follower);
}

static void tear_down(void)
{
    events_leave(&follower);
    scene_clear(&scene);
}

/* A listener whose address is as bound as it need be for this. */
static void add(const char *host, uint16_t port, bool is_ipv6_only)
{
    struct address address;
    int v6_only = is_ipv6_only;

    ck_assert_int_eq(address_parse(host, &address), 0);
    int fd = socket(address.family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(fd, 0);
    if (address.family == AF_INET6)
        ck_assert_int_eq(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6_only, sizeof(v6_only)), 0);
    address.port = port;
    ck_assert_int_eq(listener_add(service, &fd, false, true), 0);
    service->listeners[service->n_listeners - 1].address = address;
}

/* How many ports are reported. */
static unsigned n_missing(void)
{
    n_lines = 0;
    ck_assert_int_eq(families_compare(service), n_lines > 0);
    return n_lines;
}

START_TEST(test_without_sockets_nothing_is_missing)
{
    ck_assert_uint_eq(n_missing(), 0);
}
END_TEST

/* Who listens at one address does not want all. */
START_TEST(test_a_socket_at_one_address_lacks_nothing)
{
    add("192.0.2.1", 25, false);
    if (has_ipv6)
        add("2001:db8::1", 110, true);
    ck_assert_uint_eq(n_missing(), 0);
}
END_TEST

START_TEST(test_a_socket_of_ipv4_lacks_ipv6_if_the_machine_has_it)
{
    add("0.0.0.0", 25, false);
    ck_assert_uint_eq(n_missing(), has_ipv6);
    if (has_ipv6)
        ck_assert_str_eq(last_line, "listens on port 25 for IPv4 only; to serve both families, the "
                                    "socket unit needs ListenStream=0.0.0.0:25 and "
                                    "ListenStream=[::]:25");
}
END_TEST

START_TEST(test_a_socket_of_ipv6_alone_lacks_ipv4)
{
    if (!has_ipv6)
        return;
    add("::", 25, true);
    ck_assert_uint_eq(n_missing(), 1);
    ck_assert_str_eq(last_line, "listens on port 25 for IPv6 only; to serve both families, the "
                                "socket unit needs ListenStream=0.0.0.0:25 and "
                                "ListenStream=[::]:25");
}
END_TEST

START_TEST(test_one_socket_may_be_of_both)
{
    if (!has_ipv6)
        return;
    add("::", 25, false);
    ck_assert_uint_eq(n_missing(), 0);
}
END_TEST

START_TEST(test_two_sockets_are_of_both)
{
    if (!has_ipv6)
        return;
    add("0.0.0.0", 25, false);
    add("::", 25, true);
    ck_assert_uint_eq(n_missing(), 0);
}
END_TEST

START_TEST(test_an_address_does_not_stand_for_its_family)
{
    if (!has_ipv6)
        return;
    add("2001:db8::1", 25, true);
    add("0.0.0.0", 25, false);
    ck_assert_uint_eq(n_missing(), 1);
}
END_TEST

START_TEST(test_each_port_is_reported_once)
{
    if (!has_ipv6)
        return;
    add("::", 25, true);
    add("::", 587, true);
    add("::", 25, true);
    add("0.0.0.0", 465, false);
    add("::", 465, true);
    ck_assert_uint_eq(n_missing(), 2);
    ck_assert_ptr_nonnull(strstr(last_line, "port 587"));
    /* What another port has does not count. */
    add("0.0.0.0", 587, false);
    ck_assert_uint_eq(n_missing(), 1);
    ck_assert_ptr_nonnull(strstr(last_line, "port 25"));
}
END_TEST

SUITE("families", set_up, tear_down, test_without_sockets_nothing_is_missing,
      test_a_socket_at_one_address_lacks_nothing,
      test_a_socket_of_ipv4_lacks_ipv6_if_the_machine_has_it,
      test_a_socket_of_ipv6_alone_lacks_ipv4, test_one_socket_may_be_of_both,
      test_two_sockets_are_of_both, test_an_address_does_not_stand_for_its_family,
      test_each_port_is_reported_once)
