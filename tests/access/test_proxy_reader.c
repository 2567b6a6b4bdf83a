/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "access/proxy_cases.h"
#include "access/tcp.h"
#include "support/suite.h"

#include "access/proxy_reader.h"
#include "base/fd.h"
#include "base/time.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define V1 "PROXY TCP4 192.0.2.1 192.0.2.2 12345 25\r\n"

/* One connection, and what the callback said of it. */
struct scene {
    sd_event *event;
    int client, server;
    struct proxy_reader *reader;
    bool is_told;
    struct proxy_result result;
};

static struct scene scene;

static void setup(void)
{
    scene = (struct scene){0};
    ck_assert_int_ge(sd_event_new(&scene.event), 0);
    tcp_pair(&scene.client, &scene.server);
}

static void teardown(void)
{
    proxy_reader_free(scene.reader);
    fd_close(scene.client);
    fd_close(scene.server);
    sd_event_unref(scene.event);
}

static void on_result(struct proxy_reader *reader, const struct proxy_result *result,
                      void *userdata)
{
    ck_assert_ptr_eq(userdata, &scene);
    ck_assert_ptr_eq(reader, scene.reader);
    ck_assert(!scene.is_told);
    scene.is_told = true;
    scene.result = *result;
}

static void start(uint64_t limit_usec)
{
    ck_assert_int_eq(
        proxy_reader_start(scene.event, scene.server, limit_usec, on_result, &scene, &scene.reader),
        0);
}

static void assert_peer(const char *expected)
{
    char text[ADDRESS_TEXT_MAX];

    ck_assert_int_eq(scene.result.outcome, PROXY_READ);
    ck_assert_str_eq(address_format(&scene.result.peer, text), expected);
}

/* What the worker would find. */
static void assert_left(const char *expected)
{
    char bytes[200] = "";
    ssize_t n = recv(scene.server, bytes, sizeof(bytes) - 1, MSG_DONTWAIT);

    if (*expected)
        ck_assert_str_eq(bytes, expected);
    else
        ck_assert_msg(n < 0 && errno == EAGAIN, "%zd", n);
}

START_TEST(test_leaves_the_clients_bytes)
{
    tcp_send(scene.client, V1 "EHLO x\r\n", sizeof(V1) + 7);
    start(PROXY_READER_LIMIT_USEC);
    ck_assert(!scene.is_told);
    loop_until_flag(scene.event, &scene.is_told);
    assert_peer("192.0.2.1:12345");
    ck_assert(scene.result.is_proxied);
    assert_left("EHLO x\r\n");
}
END_TEST

START_TEST(test_takes_nothing_more_where_the_client_waits)
{
    start(PROXY_READER_LIMIT_USEC);
    tcp_send(scene.client, V1, sizeof(V1) - 1);
    loop_until_flag(scene.event, &scene.is_told);
    assert_left("");
    tcp_send(scene.client, "QUIT\r\n", 6);
    ck_assert_uint_eq(loop_while_busy(scene.event), 0);
    assert_left("QUIT\r\n");
}
END_TEST

static void send_in_pieces(const struct proxy_case *c)
{
    size_t step = c->size > 300 ? 97 : 1;

    for (size_t sent = 0; sent < c->size; sent += step) {
        size_t n = c->size - sent < step ? c->size - sent : step;

        ck_assert_msg(!scene.is_told, "%s after %zu bytes", c->name, sent);
        tcp_send(scene.client, c->bytes + sent, n);
        (void)loop_while_busy(scene.event);
    }
    loop_until_flag(scene.event, &scene.is_told);
}

START_TEST(test_reads_every_header_in_pieces)
{
    for (size_t i = 0; i < N_PROXY_CASES; i++) {
        const struct proxy_case *c = &proxy_cases[i];
        char text[ADDRESS_TEXT_MAX];

        if (c->fault)
            continue;
        start(PROXY_READER_LIMIT_USEC);
        send_in_pieces(c);
        ck_assert_int_eq(scene.result.outcome, PROXY_READ);
        ck_assert_int_eq(scene.result.is_proxied, c->peer != NULL);
        if (c->peer)
            assert_peer(c->peer);
        if (c->local)
            ck_assert_str_eq(address_format(&scene.result.local, text), c->local);
        assert_left("");
        teardown();
        setup();
    }
}
END_TEST

static struct address name_of(int fd)
{
    struct sockaddr_storage sa;
    socklen_t length = sizeof(sa);

    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&sa, &length), 0);
    return address_from_sockaddr((const struct sockaddr *)&sa, length);
}

START_TEST(test_a_proxy_that_speaks_for_itself_is_the_client)
{
    struct address client = name_of(scene.client), server = name_of(scene.server);

    tcp_send(scene.client, V2 "\x20\x00\x00\x00", 16);
    start(PROXY_READER_LIMIT_USEC);
    loop_until_flag(scene.event, &scene.is_told);
    ck_assert_int_eq(scene.result.outcome, PROXY_READ);
    ck_assert(!scene.result.is_proxied);
    ck_assert(address_equal(&scene.result.peer, &client));
    ck_assert(address_equal(&scene.result.local, &server));
}
END_TEST

START_TEST(test_what_is_no_header_is_left_alone)
{
    start(PROXY_READER_LIMIT_USEC);
    tcp_send(scene.client, "EHLO x\r\n", 8);
    loop_until_flag(scene.event, &scene.is_told);
    ck_assert_int_eq(scene.result.outcome, PROXY_INVALID);
    ck_assert_str_eq(scene.result.fault, "the connection does not begin with one");
    assert_left("EHLO x\r\n");
}
END_TEST

START_TEST(test_notices_a_proxy_that_goes_away)
{
    start(PROXY_READER_LIMIT_USEC);
    tcp_send(scene.client, V1, 20);
    (void)loop_while_busy(scene.event);
    ck_assert(!scene.is_told);
    shutdown(scene.client, SHUT_WR);
    loop_until_flag(scene.event, &scene.is_told);
    ck_assert_int_eq(scene.result.outcome, PROXY_CLOSED);
    ck_assert_ptr_nonnull(scene.result.fault);
}
END_TEST

START_TEST(test_notices_one_that_was_gone_before)
{
    scene.client = fd_close(scene.client);
    start(PROXY_READER_LIMIT_USEC);
    loop_until_flag(scene.event, &scene.is_told);
    ck_assert_int_eq(scene.result.outcome, PROXY_CLOSED);
}
END_TEST

/* A whole header counts, even if there is nothing after it. */
START_TEST(test_a_header_and_an_end)
{
    tcp_send(scene.client, V1, sizeof(V1) - 1);
    scene.client = fd_close(scene.client);
    start(PROXY_READER_LIMIT_USEC);
    loop_until_flag(scene.event, &scene.is_told);
    assert_peer("192.0.2.1:12345");
}
END_TEST

START_TEST(test_notices_a_reset)
{
    start(PROXY_READER_LIMIT_USEC);
    (void)loop_while_busy(scene.event);
    tcp_reset(scene.client);
    scene.client = -1;
    loop_until_flag(scene.event, &scene.is_told);
    ck_assert_int_eq(scene.result.outcome, PROXY_FAILED);
    ck_assert_int_eq(scene.result.error, -ECONNRESET);
}
END_TEST

/* Half a header in the socket must not keep the loop busy either. */
START_TEST(test_waits_in_peace_and_not_for_long)
{
    uint64_t begin = time_now_usec(CLOCK_MONOTONIC);

    start(200 * USEC_PER_MSEC);
    tcp_send(scene.client, V1, 20);
    ck_assert_uint_le(loop_while_busy(scene.event), 2);
    loop_until_flag(scene.event, &scene.is_told);
    ck_assert_int_eq(scene.result.outcome, PROXY_TIMED_OUT);
    ck_assert_uint_ge(time_now_usec(CLOCK_MONOTONIC) - begin, 200 * USEC_PER_MSEC);
}
END_TEST

START_TEST(test_can_be_cancelled)
{
    start(PROXY_READER_LIMIT_USEC);
    tcp_send(scene.client, V1, sizeof(V1) - 1);
    proxy_reader_free(scene.reader);
    scene.reader = NULL;
    ck_assert_uint_eq(loop_while_busy(scene.event), 0);
    ck_assert(!scene.is_told);
    assert_left(V1);
}
END_TEST

static void free_and_close(struct proxy_reader *reader, _unused_ const struct proxy_result *result,
                           void *userdata)
{
    proxy_reader_free(reader);
    scene.reader = NULL;
    scene.server = fd_close(scene.server);
    *(bool *)userdata = true;
}

START_TEST(test_the_callback_may_free_the_reader)
{
    static bool is_done;

    ck_assert_int_eq(proxy_reader_start(scene.event, scene.server, PROXY_READER_LIMIT_USEC,
                                        free_and_close, &is_done, &scene.reader),
                     0);
    tcp_send(scene.client, V1, sizeof(V1) - 1);
    loop_until_flag(scene.event, &is_done);
}
END_TEST

START_TEST(test_tells_of_a_socket_that_cannot_be_watched)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    ck_assert_int_lt(proxy_reader_start(scene.event, fd, PROXY_READER_LIMIT_USEC, on_result, &scene,
                                        &scene.reader),
                     0);
    ck_assert_ptr_null(scene.reader);
    close(fd);
}
END_TEST

START_TEST(test_reads_from_a_unix_socket)
{
    int fds[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
    fd_close(scene.client);
    fd_close(scene.server);
    scene.client = fds[0];
    scene.server = fds[1];
    start(PROXY_READER_LIMIT_USEC);
    tcp_send(scene.client, V1, 20);
    ck_assert_uint_le(loop_while_busy(scene.event), 2);
    tcp_send(scene.client, &(V1 "x")[20], sizeof(V1) - 20);
    loop_until_flag(scene.event, &scene.is_told);
    assert_peer("192.0.2.1:12345");
    assert_left("x");
}
END_TEST

SUITE("PROXY reader", setup, teardown, test_leaves_the_clients_bytes,
      test_takes_nothing_more_where_the_client_waits, test_reads_every_header_in_pieces,
      test_a_proxy_that_speaks_for_itself_is_the_client, test_what_is_no_header_is_left_alone,
      test_notices_a_proxy_that_goes_away, test_notices_one_that_was_gone_before,
      test_a_header_and_an_end, test_notices_a_reset, test_waits_in_peace_and_not_for_long,
      test_can_be_cancelled, test_the_callback_may_free_the_reader,
      test_tells_of_a_socket_that_cannot_be_watched, test_reads_from_a_unix_socket)
