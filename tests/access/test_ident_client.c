/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "access/tcp.h"
#include "support/suite.h"

#include "access/ident_client.h"
#include "base/fd.h"
#include "base/macro.h"
#include "base/time.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct result {
    bool is_done;
    char user[IDENT_USER_MAX + 1]; /* "": none */
    struct ident_request *request;
};

static sd_event *event;
static struct ident_clients *clients;
static int listener;
static struct address server, client;

/* An IDENT server that the test plays on `listener`; the connection that it tells of never was. */
static void setup_family(bool is_ipv6)
{
    struct sockaddr_storage sa;
    socklen_t length = sizeof(sa);

    ck_assert_int_ge(sd_event_new(&event), 0);
    listener = tcp_listen(is_ipv6);
    if (listener < 0)
        return;
    ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&sa, &length), 0);
    client = address_from_sockaddr((const struct sockaddr *)&sa, length);
    ck_assert_int_eq(ident_clients_new(event, client.port, &clients), 0);
    server = client;
    client.port = 6193;
    server.port = 25;
}

static void setup(void)
{
    setup_family(false);
}

static void teardown(void)
{
    ident_clients_free(clients);
    fd_close(listener);
    sd_event_unref(event);
}

static void on_user(const char *user, void *userdata)
{
    struct result *result = userdata;

    ck_assert(!result->is_done);
    result->is_done = true;
    if (user)
        snprintf(result->user, sizeof(result->user), "%s", user);
}

static void start(struct result *result)
{
    *result = (struct result){0};
    ck_assert_int_eq(ident_ask(clients, &server, &client, on_user, result, &result->request), 0);
}

static void assert_asks_and_hears(void)
{
    struct result result;
    char query[IDENT_QUERY_MAX] = "";

    start(&result);
    int fd = tcp_accept(listener);
    (void)loop_while_busy(event);
    ck_assert_int_gt(read(fd, query, sizeof(query) - 1), 0);
    ck_assert_str_eq(query, "6193 , 25\r\n");
    tcp_send(fd, "6193 , 25 : USER", 16);
    (void)loop_while_busy(event);
    ck_assert(!result.is_done);
    tcp_send(fd, "ID : UNIX : joe\r\n", 17);
    loop_until_flag(event, &result.is_done);
    ck_assert_str_eq(result.user, "joe");
    ck_assert_uint_eq(ident_clients_n_open(clients), 0);
    close(fd);
}

START_TEST(test_asks_and_hears)
{
    assert_asks_and_hears();
}
END_TEST

START_TEST(test_asks_over_ipv6)
{
    teardown();
    clients = NULL;
    setup_family(true);
    if (listener >= 0)
        assert_asks_and_hears();
}
END_TEST

START_TEST(test_comes_from_the_servers_address)
{
    struct result result;
    struct sockaddr_storage sa;
    socklen_t length = sizeof(sa);
    char host[ADDRESS_TEXT_MAX];

    ck_assert_int_eq(address_parse("127.0.0.7", &server), 0);
    start(&result);
    int fd = tcp_accept(listener);
    ck_assert_int_eq(getpeername(fd, (struct sockaddr *)&sa, &length), 0);
    struct address peer = address_from_sockaddr((const struct sockaddr *)&sa, length);
    ck_assert_str_eq(address_format_host(&peer, host), "127.0.0.7");
    close(fd);
}
END_TEST

START_TEST(test_a_flood_is_none)
{
    static const char flood[1 << 20];
    struct result result;

    start(&result);
    int fd = tcp_accept(listener);
    ck_assert_int_eq(fd_set_nonblocking(fd, true), 0);
    (void)send(fd, flood, sizeof(flood), MSG_NOSIGNAL);
    loop_until_flag(event, &result.is_done);
    ck_assert_str_eq(result.user, "");
    close(fd);
}
END_TEST

START_TEST(test_an_end_or_a_reset_is_none)
{
    struct result result;

    start(&result);
    int fd = tcp_accept(listener);
    close(fd);
    loop_until_flag(event, &result.is_done);
    ck_assert_str_eq(result.user, "");
    start(&result);
    fd = tcp_accept(listener);
    tcp_reset(fd);
    loop_until_flag(event, &result.is_done);
    ck_assert_str_eq(result.user, "");
}
END_TEST

START_TEST(test_silence_is_none_after_the_limit)
{
    struct result result;
    uint64_t begin = time_now_usec(CLOCK_MONOTONIC);

    start(&result);
    loop_until_flag(event, &result.is_done);
    ck_assert_str_eq(result.user, "");
    ck_assert_uint_ge(time_now_usec(CLOCK_MONOTONIC) - begin, IDENT_LIMIT_USEC);
}
END_TEST

START_TEST(test_nobody_there_is_none)
{
    struct result result = {0};

    listener = fd_close(listener);
    int r = ident_ask(clients, &server, &client, on_user, &result, &result.request);
    if (r == 0)
        loop_until_flag(event, &result.is_done);
    ck_assert_str_eq(result.user, "");
    ck_assert_uint_eq(ident_clients_n_open(clients), 0);
}
END_TEST

START_TEST(test_no_more_than_the_cap)
{
    struct result results[IDENT_CLIENTS_MAX], one;

    for (size_t i = 0; i < ELEMENTSOF(results); i++)
        start(&results[i]);
    ck_assert_int_eq(ident_ask(clients, &server, &client, on_user, &one, &one.request), -EBUSY);
    ident_cancel(results[3].request);
    start(&one);
    ck_assert_uint_eq(ident_clients_n_open(clients), IDENT_CLIENTS_MAX);
}
END_TEST

START_TEST(test_cancelled_queries_hear_nothing)
{
    struct result result;

    start(&result);
    int fd = tcp_accept(listener);
    ident_cancel(result.request);
    ident_cancel(NULL);
    (void)loop_while_busy(event);
    ck_assert(!result.is_done);
    ck_assert_uint_eq(ident_clients_n_open(clients), 0);
    close(fd);
}
END_TEST

START_TEST(test_addresses_that_cannot_ask)
{
    struct result result;
    const struct address unix_client = {.family = AF_UNIX};

    ck_assert_int_eq(ident_ask(clients, &server, &unix_client, on_user, &result, &result.request),
                     -EAFNOSUPPORT);
    /* As a PROXY header names it: not ours. */
    ck_assert_int_eq(address_parse("192.0.2.77", &server), 0);
    ck_assert_int_eq(ident_ask(clients, &server, &client, on_user, &result, &result.request),
                     -EADDRNOTAVAIL);
}
END_TEST

SUITE("ident_client", setup, teardown, test_asks_and_hears, test_asks_over_ipv6,
      test_comes_from_the_servers_address, test_a_flood_is_none, test_an_end_or_a_reset_is_none,
      test_silence_is_none_after_the_limit, test_nobody_there_is_none, test_no_more_than_the_cap,
      test_cancelled_queries_hear_nothing, test_addresses_that_cannot_ask)
