/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What is sent of TLS, without a worker: to whom, and when the channel is full. */
#include "support/suite.h"

#include "base/time.h"
#include "libdispatcher/internal.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static dispatcher_worker worker;
static dispatcher_connection connection;
static int channel; /* dispatcherd's end */

static void set_up(void)
{
    int fds[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
    memset(&worker, 0, sizeof(worker));
    worker.channel = fds[0];
    worker.wake_fd = -1;
    channel = fds[1];
    connection = (dispatcher_connection){.worker = &worker, .id = 0xabc};
    tls_init(&worker.tls);
    tls_meet(&worker.tls, true);
}

static void tear_down(void)
{
    free(connection.tls);
    close(worker.channel);
    close(channel);
}

static alignas(8) char bytes[4096];

/* Returns false if nothing was sent. */
static bool receive(struct message *ret)
{
    ssize_t n = recv(channel, bytes, sizeof(bytes), MSG_DONTWAIT);

    if (n < 0)
        return false;
    ck_assert_int_eq(message_read(bytes, (size_t)n, ret), 0);
    return true;
}

static void expect(const struct message *message, const char *name, const char *value)
{
    const char *found = message_find_text(message, name);

    ck_assert_ptr_nonnull(found);
    ck_assert_str_eq(found, value);
}

START_TEST(test_reports_a_connection_and_again_to_a_successor)
{
    struct message message;

    dispatcher_connection_tls_began(&connection, "TLSv1.3", "X", "CN=a", "12ab");
    for (int i = 0; i < 2; i++) {
        ck_assert(receive(&message));
        ck_assert_int_eq(message.type, MESSAGE_TLS);
        expect(&message, "CONNECTION", "0000000000000abc");
        expect(&message, "PROTOCOL", "TLSv1.3");
        expect(&message, "CIPHER", "X");
        expect(&message, "SUBJECT", "CN=a");
        expect(&message, "SHA256", "12ab");
        ck_assert(!receive(&message));
        tls_tell_connection(&connection);
    }
}
END_TEST

START_TEST(test_sends_nothing_to_one_that_does_not_know_it)
{
    struct message message;

    tls_meet(&worker.tls, false);
    dispatcher_connection_tls_began(&connection, "TLSv1.3", "X", NULL, NULL);
    dispatcher_connection_tls_failed(&connection, DISPATCHER_TLS_GONE);
    dispatcher_worker_certificate(&worker, 1000, "ab", NULL);
    ck_assert(!receive(&message));
    /* Its successor does. */
    tls_meet(&worker.tls, true);
    tls_tell_connection(&connection);
    ck_assert(receive(&message));
    expect(&message, "PROTOCOL", "TLSv1.3");
    ck_assert_ptr_null(message_find_text(&message, "SHA256"));
    tls_tell_certificate(&worker);
    ck_assert(receive(&message));
    ck_assert_int_eq(message.type, MESSAGE_CERTIFICATE);
    expect(&message, "EXPIRES", "1000");
}
END_TEST

START_TEST(test_counts_what_a_full_channel_does_not_take)
{
    const char filler[1024] = {0};
    struct message message;
    unsigned n_fillers = 0;

    while (send(worker.channel, filler, sizeof(filler), MSG_DONTWAIT) > 0)
        n_fillers++;
    for (int i = 0; i < 5; i++)
        dispatcher_connection_tls_failed(&connection, DISPATCHER_TLS_TIMEOUT);
    dispatcher_connection_tls_failed(&connection, DISPATCHER_TLS_PLAIN_TEXT);
    dispatcher_worker_certificate(&worker, 1000, "ab", "broken");
    ck_assert_uint_eq(tls_attend(&worker, 1), 1 + 100 * USEC_PER_MSEC);
    while (n_fillers-- > 0)
        ck_assert_int_gt(recv(channel, bytes, sizeof(bytes), MSG_DONTWAIT), 0);
    ck_assert_uint_eq(tls_attend(&worker, 1), USEC_INFINITY);
    ck_assert(receive(&message));
    ck_assert_int_eq(message.type, MESSAGE_CERTIFICATE);
    expect(&message, "TEXT", "broken");
    ck_assert(receive(&message));
    expect(&message, "FAILED_timeout", "5");
    expect(&message, "FAILED_plain_text", "1");
    ck_assert(!receive(&message));
    ck_assert_uint_eq(tls_attend(&worker, 1), USEC_INFINITY);
    ck_assert(!receive(&message));
}
END_TEST

SUITE("tls_news", set_up, tear_down, test_reports_a_connection_and_again_to_a_successor,
      test_sends_nothing_to_one_that_does_not_know_it,
      test_counts_what_a_full_channel_does_not_take)
