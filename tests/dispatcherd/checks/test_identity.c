/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Who uses a connection: an IDENT server that the test plays. */
#include "access/tcp.h"
#include "base/fd.h"
#include "dispatcherd/checks/admission.h"
#include "dispatcherd/checks/identity.h"
#include "dispatcherd/control_scene.h"
#include "support/suite.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct control_scene scene;
static struct connection *connection;
static const struct connection *identified;
static int server;

static void on_identified(const struct connection *of)
{
    identified = of;
}

static void begin(const char *options)
{
    char text[256];
    struct sockaddr_in address;
    socklen_t length = sizeof(address);

    server = tcp_listen(false);
    ck_assert_int_eq(getsockname(server, (struct sockaddr *)&address, &length), 0);
    snprintf(text, sizeof(text), "[SERVICE=SMTP]\nPORT=25\nIMAGE=/bin/true\n%s", options);
    scene_init(&scene, text);
    scene.context.identified = on_identified;
    scene.ident_port = ntohs(address.sin_port);
    scene_admit(&scene, "");
    connection = scene_add_connection(&scene, 0, NULL);
    ck_assert_int_eq(address_parse("127.0.0.1", &connection->peer), 0);
    ck_assert_int_eq(address_parse("127.0.0.1", &connection->local), 0);
    connection->peer.port = 4711;
    connection->local.port = 25;
    identified = NULL;
}

static void tear_down(void)
{
    fd_close(server);
    scene_clear(&scene);
}

static bool is_answered(_unused_ void *userdata)
{
    return !connection->ident_request;
}

/* The server reads the query, and answers. */
static void answer(const char *reply)
{
    char query[64] = "";
    int fd = tcp_accept(server);
    size_t n = 0;

    while (!strchr(query, '\n')) {
        ck_assert_int_ge(sd_event_run(scene.context.event, 10000), 0);
        ssize_t r = recv(fd, query + n, sizeof(query) - 1 - n, MSG_DONTWAIT);
        n += r > 0 ? (size_t)r : 0;
    }
    ck_assert_str_eq(query, "4711 , 25\r\n");
    tcp_send(fd, reply, strlen(reply));
    loop_until(scene.context.event, is_answered, NULL);
    fd_close(fd);
}

START_TEST(test_the_user_is_noted_and_the_worker_told)
{
    begin("IDENT=1\n");
    struct worker *worker = scene_add_worker(&scene, 0, 0, 4711);
    identity_ask(connection);
    ck_assert_ptr_nonnull(connection->ident_request);
    connection_hand_off(connection, worker, connection->accepted_at);
    answer("4711 , 25 : USERID : UNIX : joe\r\n");
    ck_assert_str_eq(connection->ident_user, "joe");
    ck_assert_ptr_eq(identified, connection);
}
END_TEST

/* Without a worker there is nobody to be told; the connection has it when it is handed off. */
START_TEST(test_before_the_hand_off_it_is_only_noted)
{
    begin("IDENT=1\n");
    identity_ask(connection);
    answer("4711 , 25 : USERID : UNIX : joe\r\n");
    ck_assert_str_eq(connection->ident_user, "joe");
    ck_assert_ptr_null(identified);
}
END_TEST

START_TEST(test_no_user_is_told_too)
{
    begin("IDENT=1\n");
    struct worker *worker = scene_add_worker(&scene, 0, 0, 4711);
    identity_ask(connection);
    connection_hand_off(connection, worker, connection->accepted_at);
    answer("4711 , 25 : ERROR : NO-USER\r\n");
    ck_assert_ptr_null(connection->ident_user);
    ck_assert_ptr_eq(identified, connection);
}
END_TEST

START_TEST(test_nobody_is_asked_without_the_option)
{
    begin("");
    identity_ask(connection);
    ck_assert_ptr_null(connection->ident_request);
    ck_assert_uint_eq(ident_clients_n_open(scene.context.admission->ident_clients), 0);
}
END_TEST

/* The answer must not reach a connection that is gone. */
START_TEST(test_the_end_of_the_connection_ends_the_query)
{
    begin("IDENT=1\n");
    identity_ask(connection);
    ck_assert_uint_eq(ident_clients_n_open(scene.context.admission->ident_clients), 1);
    connection_close(connection, connection->accepted_at);
    ck_assert_uint_eq(ident_clients_n_open(scene.context.admission->ident_clients), 0);
}
END_TEST

SUITE("identity", NULL, tear_down, test_the_user_is_noted_and_the_worker_told,
      test_before_the_hand_off_it_is_only_noted, test_no_user_is_told_too,
      test_nobody_is_asked_without_the_option, test_the_end_of_the_connection_ends_the_query)
