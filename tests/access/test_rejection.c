/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "access/tcp.h"
#include "support/suite.h"

#include "access/rejection.h"
#include "base/macro.h"
#include "base/time.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TEXT "554 5.7.1 Go away\r\n"

static sd_event *event;
static struct rejections *rejections;

static void setup(void)
{
    ck_assert_int_ge(sd_event_new(&event), 0);
    ck_assert_int_eq(rejections_new(event, &rejections), 0);
}

static void teardown(void)
{
    rejections_free(rejections);
    sd_event_unref(event);
}

static bool is_nothing_open(void *userdata)
{
    return rejections_n_open(userdata) == 0;
}

static void assert_reads(int client, const char *expected)
{
    char text[2 * REJECTION_TEXT_MAX_BYTES] = "";
    size_t n = tcp_read_to_end(client, text, sizeof(text) - 1);

    ck_assert_uint_eq(n, strlen(expected));
    ck_assert_str_eq(text, expected);
}

/* Rejects a client, who has said so many bytes before. Returns the client's end. */
static int reject(const char *text, size_t n_said)
{
    static const char said[8192];
    int client, server;

    tcp_pair(&client, &server);
    if (n_said > 0)
        tcp_send(client, said, n_said);
    rejection_send(rejections, &server, text, strlen(text));
    ck_assert_int_eq(server, -1);
    return client;
}

START_TEST(test_sends_the_text_and_the_end)
{
    int client = reject(TEXT, 0);

    assert_reads(client, TEXT);
    ck_assert_uint_eq(rejections_n_open(rejections), 1);
    close(client);
    loop_until(event, is_nothing_open, rejections);
    ck_assert_uint_eq(rejections_counts(rejections)->n_ended, 1);
}
END_TEST

START_TEST(test_no_reset_for_a_client_that_spoke_before)
{
    int client = reject(TEXT, 3000);

    (void)loop_while_busy(event);
    assert_reads(client, TEXT);
    close(client);
    loop_until(event, is_nothing_open, rejections);
}
END_TEST

START_TEST(test_no_reset_for_a_client_that_speaks_later)
{
    int client = reject(TEXT, 0);

    for (unsigned i = 0; i < 3; i++) {
        tcp_send(client, "EHLO client.example\r\n", 21);
        (void)loop_while_busy(event);
    }
    ck_assert_uint_eq(rejections_n_open(rejections), 1);
    assert_reads(client, TEXT);
    close(client);
    loop_until(event, is_nothing_open, rejections);
    ck_assert_uint_eq(rejections_counts(rejections)->n_ended, 1);
}
END_TEST

START_TEST(test_listens_only_so_long_to_a_talkative_client)
{
    static const char said[REJECTION_READ_MAX_BYTES];
    int client = reject(TEXT, 100);

    tcp_send(client, said, sizeof(said));
    loop_until(event, is_nothing_open, rejections);
    ck_assert_uint_eq(rejections_counts(rejections)->n_talkative, 1);
    close(client);
    client = reject(TEXT, 8192);
    ck_assert_uint_eq(rejections_n_open(rejections), 0);
    ck_assert_uint_eq(rejections_counts(rejections)->n_talkative, 2);
    close(client);
}
END_TEST

START_TEST(test_nothing_to_say)
{
    static const size_t said[] = {0, 300, 4000};

    for (size_t i = 0; i < ELEMENTSOF(said); i++) {
        int client = reject("", said[i]);

        ck_assert_uint_eq(rejections_n_open(rejections), 0);
        assert_reads(client, "");
        close(client);
    }
    ck_assert_uint_eq(rejections_counts(rejections)->n_silent, ELEMENTSOF(said));
}
END_TEST

START_TEST(test_a_long_text_is_cut)
{
    char text[REJECTION_TEXT_MAX_BYTES + 3] = "";

    memset(text, 'x', REJECTION_TEXT_MAX_BYTES + 2);
    memcpy(text + REJECTION_TEXT_MAX_BYTES - 2, "\r\n", 3);
    int client = reject(text, 0);
    assert_reads(client, text);
    close(client);
    memset(text, 'x', REJECTION_TEXT_MAX_BYTES + 2);
    client = reject(text, 0);
    memcpy(text + REJECTION_TEXT_MAX_BYTES - 2, "\r\n", 3);
    assert_reads(client, text);
    close(client);
    loop_until(event, is_nothing_open, rejections);
}
END_TEST

START_TEST(test_a_client_that_is_gone)
{
    int client, server;

    tcp_pair(&client, &server);
    tcp_reset(client);
    rejection_send(rejections, &server, TEXT, strlen(TEXT));
    ck_assert_uint_eq(rejections_counts(rejections)->n_failed, 1);
    tcp_pair(&client, &server);
    close(client);
    rejection_send(rejections, &server, TEXT, strlen(TEXT));
    loop_until(event, is_nothing_open, rejections);
    ck_assert_uint_eq(rejections_counts(rejections)->n_ended, 1);
}
END_TEST

START_TEST(test_a_text_that_does_not_fit_is_not_waited_for)
{
    static const char noise[65536];
    int fds[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
    while (send(fds[1], noise, sizeof(noise), 0) > 0)
        ;
    ck_assert_int_eq(errno, EAGAIN);
    rejection_send(rejections, &fds[1], TEXT, strlen(TEXT));
    ck_assert_uint_eq(rejections_counts(rejections)->n_failed, 1);
    ck_assert_uint_eq(rejections_n_open(rejections), 0);
    close(fds[0]);
}
END_TEST

/* Silent clients: those beyond the limit are closed at once, the others in time. */
START_TEST(test_is_bounded_in_number_and_time)
{
    enum {
        N_CLIENTS = REJECTIONS_MAX + 6
    };
    const struct rejection_counts *counts = rejections_counts(rejections);
    uint64_t begin = time_now_usec(CLOCK_MONOTONIC);
    int clients[N_CLIENTS];

    for (unsigned i = 0; i < N_CLIENTS; i++) {
        clients[i] = reject(TEXT, 0);
        ck_assert_uint_le(rejections_n_open(rejections), REJECTIONS_MAX);
    }
    ck_assert_uint_eq(rejections_n_open(rejections), REJECTIONS_MAX);
    ck_assert_uint_eq(counts->n_hurried, N_CLIENTS - REJECTIONS_MAX);
    for (unsigned i = 0; i < N_CLIENTS; i++)
        assert_reads(clients[i], TEXT);
    /* One that goes makes room for another. */
    close(clients[10]);
    (void)loop_while_busy(event);
    ck_assert_uint_eq(rejections_n_open(rejections), REJECTIONS_MAX - 1);
    clients[10] = reject(TEXT, 0);
    ck_assert_uint_eq(rejections_n_open(rejections), REJECTIONS_MAX);

    loop_until(event, is_nothing_open, rejections);
    uint64_t took = time_now_usec(CLOCK_MONOTONIC) - begin;
    ck_assert_uint_ge(took, REJECTION_LIMIT_USEC);
    ck_assert_uint_lt(took, REJECTION_LIMIT_USEC + 5 * USEC_PER_SEC);
    ck_assert_uint_eq(counts->n_timed_out, REJECTIONS_MAX);
    ck_assert_uint_eq(counts->n_ended, 1);
    ck_assert_uint_eq(loop_while_busy(event), 0);
    for (unsigned i = 0; i < N_CLIENTS; i++)
        close(clients[i]);
}
END_TEST

START_TEST(test_places_are_used_again)
{
    for (unsigned i = 0; i < 3 * REJECTIONS_MAX; i++) {
        int client = reject(TEXT, i % 3 * 1000);

        assert_reads(client, TEXT);
        close(client);
        loop_until(event, is_nothing_open, rejections);
    }
    ck_assert_uint_eq(rejections_counts(rejections)->n_ended, 3 * REJECTIONS_MAX);
    ck_assert_uint_eq(rejections_counts(rejections)->n_hurried, 0);
}
END_TEST

START_TEST(test_freeing_closes_all)
{
    int client, server;

    tcp_pair(&client, &server);
    int number = server;
    rejection_send(rejections, &server, TEXT, strlen(TEXT));
    ck_assert_int_ge(fcntl(number, F_GETFD), 0);
    rejections_free(rejections);
    rejections = NULL;
    ck_assert_int_lt(fcntl(number, F_GETFD), 0);
    assert_reads(client, TEXT);
    close(client);
}
END_TEST

SUITE("rejection", setup, teardown, test_sends_the_text_and_the_end,
      test_no_reset_for_a_client_that_spoke_before, test_no_reset_for_a_client_that_speaks_later,
      test_listens_only_so_long_to_a_talkative_client, test_nothing_to_say, test_a_long_text_is_cut,
      test_a_client_that_is_gone, test_a_text_that_does_not_fit_is_not_waited_for,
      test_is_bounded_in_number_and_time, test_places_are_used_again, test_freeing_closes_all)
