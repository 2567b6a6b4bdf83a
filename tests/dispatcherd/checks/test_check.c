/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The stages between accept and admission, each with the ways out of it. */
#include "access/tcp.h"
#include "base/fd.h"
#include "base/macro.h"
#include "base/time.h"
#include "dispatcherd/checks/admission.h"
#include "dispatcherd/checks/check.h"
#include "dispatcherd/control_scene.h"
#include "support/suite.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PROXY "PROXY_PROTOCOL=1\nPROXY_UPSTREAMS=192.0.2.0/24\n"

static struct control_scene scene;
static struct service *service;
static int client = -1, name_server = -1;
static char dns_servers[32];

static void begin(const char *options, const char *tables)
{
    char text[512];

    snprintf(text, sizeof(text), "[SERVICE=SMTP]\nPORT=25\nIMAGE=/bin/true\n%s", options);
    scene_init(&scene, text);
    if (name_server >= 0)
        scene.dns_servers = dns_servers;
    scene_admit(&scene, tables);
    service = scene.services[0];
}

static void set_up(void)
{
    client = name_server = -1;
}

static void tear_down(void)
{
    fd_close(client);
    fd_close(name_server);
    scene_clear(&scene);
}

/* A name server that never answers. */
static void add_name_server(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);

    name_server = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(name_server, (struct sockaddr *)&address, length), 0);
    ck_assert_int_eq(getsockname(name_server, (struct sockaddr *)&address, &length), 0);
    snprintf(dns_servers, sizeof(dns_servers), "127.0.0.1:%u", ntohs(address.sin_port));
}

/* A client with that address comes, and its check begins. Returns the identifier. */
static uint64_t come(const char *host)
{
    struct address peer, local;
    int fd;

    fd_close(client);
    tcp_pair(&client, &fd);
    struct connection *connection = connection_new(service, &fd, time_now_usec(CLOCK_MONOTONIC));
    ck_assert_ptr_nonnull(connection);
    uint64_t id = connection->id;
    ck_assert_int_eq(address_parse(host, &peer), 0);
    ck_assert_int_eq(address_parse("198.51.100.1", &local), 0);
    peer.port = 4711;
    local.port = 25;
    connection_set_ends(connection, &peer, &local, false);
    connection_check(connection);
    check_begin(connection);
    return id;
}

static const struct connection *last_waiting(void)
{
    return TAILQ_LAST(&service->waiting, connection_queue);
}

static bool is_over(_unused_ void *userdata)
{
    return service->pool->n_checking == 0;
}

static void await_end_of_check(void)
{
    loop_until(scene.context.event, is_over, NULL);
    ck_assert(TAILQ_EMPTY(&service->checks));
}

static const struct access_decision *last_decision(void)
{
    return decisions_next(scene.context.admission->decisions, NULL, NULL, NULL);
}

START_TEST(test_without_anything_to_check_it_waits_for_a_worker)
{
    begin("", "");
    uint64_t id = come("192.0.2.7");
    ck_assert_uint_eq(service->pool->n_checking, 0);
    ck_assert_uint_eq(last_waiting()->id, id);
    ck_assert_ptr_null(last_decision());
}
END_TEST

START_TEST(test_an_entry_rejects_with_a_text_and_is_noted)
{
    char text[128];

    begin("", "PORT_ACCESS\n\n  TCP|*|*|192.0.2.7|*  $N554$ go~away\n");
    uint64_t id = come("192.0.2.7");
    ck_assert_uint_eq(service->pool->n_checking + service->pool->n_waiting, 0);
    ck_assert_uint_eq(service->statistics->n_rejected[REJECTED_BY_MAPPING], 1);
    loop_while_busy(scene.context.event);
    size_t n = tcp_read_to_end(client, text, sizeof(text) - 1);
    text[n] = '\0';
    ck_assert_int_eq(strncmp(text, "554 ", 4), 0);
    ck_assert_uint_eq(last_decision()->connection_id, id);
    ck_assert_uint_eq(last_decision()->line, 3);
    ck_assert_str_eq(last_decision()->reason, statistics_rejection_to_string(REJECTED_BY_MAPPING));
    come("192.0.2.8");
    ck_assert_uint_eq(service->pool->n_waiting, 1);
    ck_assert_str_eq(last_decision()->reason, "");
}
END_TEST

START_TEST(test_a_throttle_counts_each_connection)
{
    begin("", "PORT_ACCESS\n\n"
              "  TCP|*|*|192.0.2.7|*  $C$[conn_throttle,throttle,192.0.2.7,2]$N421$ slow\n");
    for (unsigned i = 0; i < 3; i++)
        come("192.0.2.7");
    ck_assert_uint_eq(service->pool->n_waiting, 2);
    ck_assert_uint_eq(service->statistics->n_rejected[REJECTED_BY_THROTTLE], 1);
}
END_TEST

START_TEST(test_an_address_and_its_network_have_limits)
{
    begin("MAX_CONNS_PER_ADDRESS=1\nMAX_CONNS_PER_NETWORK=2\n", "");
    come("192.0.2.7");
    come("192.0.2.7");
    ck_assert_uint_eq(service->pool->n_waiting, 1);
    come("192.0.2.8");
    come("192.0.2.9");
    ck_assert_uint_eq(service->pool->n_waiting, 2);
    ck_assert_uint_eq(service->statistics->n_rejected[REJECTED_FOR_ADDRESS], 2);
    come("203.0.113.1");
    ck_assert_uint_eq(service->pool->n_waiting, 3);
}
END_TEST

/* $Y of PORT_ACCESS names an address that may have more. */
START_TEST(test_an_entry_lifts_the_limit)
{
    begin("MAX_CONNS_PER_ADDRESS=1\n", "PORT_ACCESS\n\n  TCP|*|*|192.0.2.7|*  $Y\n");
    for (unsigned i = 0; i < 3; i++)
        come("192.0.2.7");
    ck_assert_uint_eq(service->pool->n_waiting, 3);
}
END_TEST

START_TEST(test_a_proxy_names_the_client)
{
    struct address wanted;

    begin(PROXY, "");
    come("192.0.2.7");
    ck_assert_uint_eq(service->pool->n_checking, 1);
    tcp_send(client, "PROXY TCP4 203.0.113.5 203.0.113.1 1234 25\r\n", 44);
    await_end_of_check();
    ck_assert_ptr_nonnull(last_waiting());
    ck_assert_int_eq(address_parse("203.0.113.5", &wanted), 0);
    wanted.port = 1234;
    ck_assert(address_equal(&last_waiting()->peer, &wanted));
    ck_assert_int_eq(address_parse("203.0.113.1", &wanted), 0);
    wanted.port = 25;
    ck_assert(address_equal(&last_waiting()->local, &wanted));
}
END_TEST

/* Anybody could claim any address. */
START_TEST(test_only_a_proxy_may_name_a_client)
{
    begin(PROXY, "");
    come("203.0.113.5");
    ck_assert_uint_eq(service->pool->n_checking + service->pool->n_waiting, 0);
    ck_assert_uint_eq(service->statistics->n_rejected[REJECTED_FOR_PROXY_HEADER], 1);
    ck_assert_str_eq(last_decision()->detail, "the client is not in PROXY_UPSTREAMS");
}
END_TEST

START_TEST(test_an_invalid_header_rejects_and_a_hang_up_does_not)
{
    begin(PROXY, "");
    come("192.0.2.7");
    tcp_send(client, "EHLO example.org\r\n", 18);
    await_end_of_check();
    ck_assert_uint_eq(service->statistics->n_rejected[REJECTED_FOR_PROXY_HEADER], 1);
    come("192.0.2.7");
    client = fd_close(client);
    await_end_of_check();
    come("192.0.2.7");
    tcp_reset(client);
    client = -1;
    await_end_of_check();
    ck_assert_uint_eq(service->statistics->n_rejected[REJECTED_FOR_PROXY_HEADER], 1);
    ck_assert_uint_eq(service->pool->n_waiting, 0);
}
END_TEST

/* The predecessor has read it. */
START_TEST(test_a_readmitted_connection_has_no_header)
{
    struct connection *connection;
    int fd;

    begin(PROXY, "");
    tcp_pair(&client, &fd);
    connection = connection_new(service, &fd, time_now_usec(CLOCK_MONOTONIC));
    connection->is_readmitted = true;
    ck_assert_int_eq(address_parse("203.0.113.5", &connection->peer), 0);
    ck_assert_int_eq(address_parse("198.51.100.1", &connection->local), 0);
    connection_check(connection);
    check_begin(connection);
    ck_assert_ptr_eq(last_waiting(), connection);
}
END_TEST

/* A worker has a connection whose copy the predecessor had no time to take out of the store: the
 * copy is readmitted, and its check begins. Returns the worker. */
static const struct worker *check_copy_of_held(void)
{
    struct worker *worker = scene_add_worker(&scene, 0, 0, 4711);
    struct connection *held = scene_add_connection(&scene, 0, NULL), *copy;
    int fd;

    connection_hand_off(held, worker, time_now_usec(CLOCK_MONOTONIC));
    tcp_pair(&client, &fd);
    copy = connection_new(service, &fd, time_now_usec(CLOCK_MONOTONIC));
    copy->is_readmitted = true;
    copy->id = held->id;
    ck_assert_int_eq(address_parse("192.0.2.7", &copy->peer), 0);
    connection_check(copy);
    check_begin(copy);
    return worker;
}

/* A rejection would go to a client that is in session. */
START_TEST(test_a_readmitted_connection_that_a_worker_has_is_left_to_it)
{
    static const char *const tables[] = {"PORT_ACCESS\n\n  *  $N550$ no\n",
                                         "PORT_ACCESS\n\n  *  $Y\n"};

    for (size_t i = 0; i < ELEMENTSOF(tables); i++) {
        begin("", tables[i]);
        const struct worker *worker = check_copy_of_held();
        await_end_of_check();
        ck_assert_uint_eq(service->pool->n_waiting, 0);
        ck_assert_uint_eq(statistics_rejected(service->statistics), 0);
        ck_assert_uint_eq(worker->n_held, 1);
        client = fd_close(client);
        scene_clear(&scene);
    }
    begin("", "");
}
END_TEST

/* Its end is the worker's to report. */
START_TEST(test_a_client_that_leaves_a_worker_does_not_end_twice)
{
    add_name_server();
    begin("DNS_VERIFY_DOMAIN=list.invalid\nHISTORICAL_TIME=60\n", "");
    const struct worker *worker = check_copy_of_held();
    ck_assert_uint_eq(service->pool->n_checking, 1);
    client = fd_close(client);
    await_end_of_check();
    ck_assert_uint_eq(service->state->history.n_connections, 0);
    ck_assert_uint_eq(worker->n_held, 1);
}
END_TEST

/* It holds up nobody, and has no place in a worker. */
START_TEST(test_one_that_waits_for_a_list_lets_others_pass)
{
    add_name_server();
    begin("DNS_VERIFY_DOMAIN=list.invalid\n", "PORT_ACCESS\n\n  TCP|*|*|192.0.2.8|*  $Y\n");
    come("192.0.2.7");
    ck_assert_uint_eq(service->pool->n_checking, 1);
    ck_assert_uint_eq(service->pool->n_waiting, 0);
    int held = client;
    client = -1;
    come("192.0.2.8");
    ck_assert_uint_eq(service->pool->n_checking, 1);
    ck_assert_uint_eq(service->pool->n_waiting, 1);
    fd_close(held);
    await_end_of_check();
}
END_TEST

START_TEST(test_a_client_that_leaves_while_a_list_is_asked_is_gone)
{
    add_name_server();
    begin("DNS_VERIFY_DOMAIN=list.invalid\n", "");
    come("192.0.2.7");
    client = fd_close(client);
    await_end_of_check();
    ck_assert_uint_eq(service->pool->n_waiting, 0);
    for (unsigned reason = 0; reason < N_STATISTICS_REJECTIONS; reason++)
        ck_assert_uint_eq(service->statistics->n_rejected[reason], 0);
}
END_TEST

/* A list that cannot be asked must not stop the mail. */
START_TEST(test_without_a_name_server_clients_are_admitted)
{
    begin("DNS_VERIFY_DOMAIN=list.invalid\n", "");
    uint64_t id = come("192.0.2.7");
    await_end_of_check();
    ck_assert_uint_eq(last_waiting()->id, id);
}
END_TEST

START_TEST(test_all_checks_end_with_the_service)
{
    char byte;

    add_name_server();
    begin("DNS_VERIFY_DOMAIN=list.invalid\n" PROXY, "");
    come("192.0.2.7");
    ck_assert_uint_eq(service->pool->n_checking, 1);
    checks_close(service);
    ck_assert_uint_eq(service->pool->n_checking, 0);
    ck_assert(TAILQ_EMPTY(&service->checks));
    ck_assert_int_eq(read(client, &byte, 1), 0);
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("check");

    ADD_FIXTURE_TESTS(
        suite, "mapping", set_up, tear_down, test_without_anything_to_check_it_waits_for_a_worker,
        test_an_entry_rejects_with_a_text_and_is_noted, test_a_throttle_counts_each_connection,
        test_an_address_and_its_network_have_limits, test_an_entry_lifts_the_limit);
    ADD_FIXTURE_TESTS(suite, "proxy", set_up, tear_down, test_a_proxy_names_the_client,
                      test_only_a_proxy_may_name_a_client,
                      test_an_invalid_header_rejects_and_a_hang_up_does_not,
                      test_a_readmitted_connection_has_no_header,
                      test_a_readmitted_connection_that_a_worker_has_is_left_to_it);
    ADD_FIXTURE_TESTS(
        suite, "lists", set_up, tear_down, test_a_client_that_leaves_a_worker_does_not_end_twice,
        test_one_that_waits_for_a_list_lets_others_pass,
        test_a_client_that_leaves_while_a_list_is_asked_is_gone,
        test_without_a_name_server_clients_are_admitted, test_all_checks_end_with_the_service);
    return suite;
}
