/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/sockets/reach.h"

#include "dispatcherd/control_scene.h"
#include "dispatcherd/report/events.h"
#include "dispatcherd/report/message_ids.h"
#include "dispatcherd/service/listener.h"
#include "support/suite.h"

#include <string.h>
#include <sys/socket.h>

static struct control_scene scene;
static struct service *service;
static unsigned n_lines;

static void take(_unused_ struct follower *follower, json_t *event)
{
    const char *id = json_string_value(json_object_get(event, "message_id"));

    n_lines += id && strcmp(id, MESSAGE_ID_SOCKET_LOST) == 0;
}

static struct follower follower = {.take = take};

static void add_listener(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_eq(listen(fd, 1), 0);
    ck_assert_int_eq(listener_add(service, &fd, false, true), 0);
}

static void set_up(void)
{
    scene_init(&scene, "[SERVICE=SMTP]\nIMAGE=/bin/true\nPORT=2525\n");
    service = scene.services[0];
    listeners_free(service); /* that of the scene does not listen */
    add_listener();
    events_follow(&follower);
}

static void tear_down(void)
{
    events_leave(&follower);
    scene_clear(&scene);
}

/* As "ss -K" does, and shutdown(2) by any process that shares the socket. */
static void shut_down(size_t index)
{
    ck_assert_int_eq(listeners_start(service), 0);
    ck_assert_int_eq(shutdown(service->listeners[index].fd, SHUT_RDWR), 0);
    service->listeners[index].may_have_more = true;
    while (listeners_accept(service))
        ;
    listeners_watch(service, true); /* as the dispatch does when the service comes to rest */
}

static const char *described(void)
{
    static char words[256];
    struct str_buffer text = str_buffer_init(words, sizeof(words));

    reach_describe(&service->reach, service->n_listeners, &text);
    return words;
}

START_TEST(test_a_service_that_listens_is_reached)
{
    ck_assert_uint_eq(reach_n_missing(&service->reach, service->n_listeners), 0);
    ck_assert_str_eq(reach_accepts(service->n_listeners, ACCEPT_YES), "accepting");
}
END_TEST

START_TEST(test_a_service_without_a_socket_never_accepts)
{
    listeners_free(service);
    ck_assert_uint_eq(reach_n_missing(&service->reach, service->n_listeners), 1);
    ck_assert_str_eq(described(), "has no socket: nobody can reach it");
    ck_assert_str_eq(reach_accepts(service->n_listeners, ACCEPT_YES), "no socket");
    ck_assert_str_eq(reach_accepts(service->n_listeners, ACCEPT_NO_PLACE), "no socket");
    ck_assert_str_eq(reach_accepts(service->n_listeners, ACCEPT_STOPPING),
                     accept_verdict_to_string(ACCEPT_STOPPING));
}
END_TEST

START_TEST(test_a_listener_that_is_shut_down_is_closed_and_reported_once)
{
    shut_down(0);
    ck_assert_uint_eq(service->n_listeners, 0);
    ck_assert_uint_eq(n_lines, 1);
    ck_assert_uint_eq(reach_n_missing(&service->reach, service->n_listeners), 1);
}
END_TEST

START_TEST(test_one_of_two_listeners_is_missed)
{
    add_listener();
    shut_down(1);
    ck_assert_uint_eq(service->n_listeners, 1);
    ck_assert_ptr_nonnull(service->listeners[0].source);
    ck_assert_uint_eq(reach_n_missing(&service->reach, service->n_listeners), 1);
    ck_assert_ptr_nonnull(strstr(described(), "no longer listens at 0.0.0.0:"));
    ck_assert_str_eq(reach_accepts(service->n_listeners, ACCEPT_YES), "accepting");
    reach_restored(&service->reach);
    ck_assert_uint_eq(reach_n_missing(&service->reach, service->n_listeners), 0);
}
END_TEST

SUITE("reach", set_up, tear_down, test_a_service_that_listens_is_reached,
      test_a_service_without_a_socket_never_accepts,
      test_a_listener_that_is_shut_down_is_closed_and_reported_once,
      test_one_of_two_listeners_is_missed)
