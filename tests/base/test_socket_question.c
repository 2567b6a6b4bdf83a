/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Whether the kernel knows who has a socket open. */
#include "support/suite.h"

#include "base/fd.h"
#include "base/socket_question.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

static int question;
static int client, server;

/* Both ends of a connection over the loopback interface; the listener of `family` is gone again. */
static void connect_ends(int listener_family, int client_family)
{
    struct sockaddr_in6 address = {.sin6_family = (sa_family_t)listener_family};
    struct sockaddr_in address_4 = {.sin_family = AF_INET,
                                    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    int listener = socket(listener_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, length), 0);
    ck_assert_int_eq(listen(listener, 1), 0);
    ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&address, &length), 0);
    client = socket(client_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address_4.sin_port = address.sin6_port;
    address.sin6_addr = in6addr_loopback;
    if (client_family == AF_INET)
        ck_assert_int_eq(connect(client, (struct sockaddr *)&address_4, sizeof(address_4)), 0);
    else
        ck_assert_int_eq(connect(client, (struct sockaddr *)&address, sizeof(address)), 0);
    server = accept(listener, NULL, NULL);
    ck_assert_int_ge(server, 0);
    fd_close(listener);
}

static void set_up(void)
{
    question = socket_question_open();
    ck_assert_int_ge(question, 0);
}

static void tear_down(void)
{
    fd_close(question);
    fd_close(client);
    fd_close(server);
}

static const int families[][2] = {
    {AF_INET6, AF_INET6},
    {AF_INET6, AF_INET},
    {AF_INET, AF_INET},
};

START_TEST(test_a_socket_is_open_until_its_last_descriptor_is_closed)
{
    struct socket_key key;

    connect_ends(families[_i][0], families[_i][1]);
    ck_assert_int_eq(socket_key_read(server, &key), 0);
    ck_assert_int_eq(socket_is_open(question, &key), 1);
    int copy = dup(server);
    server = fd_close(server);
    ck_assert_int_eq(socket_is_open(question, &key), 1);
    fd_close(copy);
    ck_assert_int_eq(socket_is_open(question, &key), 0);
}
END_TEST

START_TEST(test_another_socket_with_the_same_addresses_is_no_answer)
{
    struct socket_key key;

    connect_ends(AF_INET, AF_INET);
    ck_assert_int_eq(socket_key_read(server, &key), 0);
    key.cookie++;
    ck_assert_int_eq(socket_is_open(question, &key), 0);
}
END_TEST

START_TEST(test_what_is_no_tcp_connection_has_no_key)
{
    struct socket_key key;
    int pair[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    ck_assert_int_eq(socket_key_read(pair[0], &key), -EAFNOSUPPORT);
    client = pair[0];
    server = pair[1];
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("socket_question");
    TCase *tests = tcase_create("questions");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_loop_test(tests, test_a_socket_is_open_until_its_last_descriptor_is_closed, 0,
                        sizeof(families) / sizeof(families[0]));
    tcase_add_test(tests, test_another_socket_with_the_same_addresses_is_no_answer);
    tcase_add_test(tests, test_what_is_no_tcp_connection_has_no_key);
    suite_add_tcase(suite, tests);
    return suite;
}
