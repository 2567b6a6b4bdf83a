/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What lies in the channel of a worker that is gone, or given up. */
#include "support/suite.h"

#include "base/fd.h"
#include "base/time.h"
#include "dispatcherd/control_scene.h"
#include "dispatcherd/lingering.h"
#include "dispatcherd/messages/news.h"
#include "dispatcherd/process/worker_unit.h"
#include "dispatcherd/store/closer.h"
#include "dispatcherd/store/stall_guard.h"
#include "protocol/channel.h"
#include "protocol/message.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct control_scene scene;
static struct worker *worker;
static int theirs;

static void setup(void)
{
    int pair[2];

    scene_init(&scene, "[SERVICE=TEST]\nPORT=25\nIMAGE=/bin/true\nMAX_CONNS=20\n");
    worker = scene_add_worker(&scene, 0, 0, 4711);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    worker->channel = pair[0];
    theirs = pair[1];
    ck_assert_int_eq(stall_guard_start(), 0);
}

static void teardown(void)
{
    fd_close(theirs);
    closer_end();
    stall_guard_stop();
    scene_clear(&scene);
}

static struct connection *hand_off(void)
{
    struct connection *connection = scene_add_connection(&scene, 0, NULL);

    connection_hand_off(connection, worker, time_now_usec(CLOCK_MONOTONIC));
    return connection;
}

static void acknowledge(const struct connection *connection)
{
    struct {
        struct message_header header;
        uint64_t id;
    } packet = {{MESSAGE_ACKNOWLEDGE, 1}, connection->id};

    ck_assert_int_eq(channel_send(theirs, &packet, sizeof(packet), NULL, 0), 0);
}

static void send_with(size_t length, int fd)
{
    static char bytes[10000];

    ck_assert_int_eq(channel_send(theirs, bytes, length, &fd, fd >= 0 ? 1 : 0), 0);
}

static bool take_last_words(void)
{
    (void)shutdown(worker->channel, SHUT_RDWR);
    return news_take_last_words(worker);
}

START_TEST(test_what_stands_before_a_broken_packet_counts)
{
    setup();
    struct connection *before = hand_off(), *behind = hand_off();
    acknowledge(before);
    send_with(9999, -1);
    acknowledge(behind);
    ck_assert(!take_last_words());
    ck_assert_int_eq(before->state, CONNECTION_ACTIVE);
    ck_assert_int_eq(behind->state, CONNECTION_HANDOFF);
    teardown();
}
END_TEST

START_TEST(test_a_drain_that_was_announced_counts)
{
    const struct message_header drains = {MESSAGE_DRAINING, 0};

    setup();
    ck_assert_int_eq(channel_send(theirs, &drains, sizeof(drains), NULL, 0), 0);
    ck_assert(take_last_words());
    teardown();
}
END_TEST

/* Its own end too, without which its unit would never seem to be gone. */
START_TEST(test_everything_behind_a_broken_packet_is_taken_out)
{
    struct lingering lingerings[6];
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);

    setup();
    for (int i = 0; i < 6; i++) {
        lingerings[i] = lingering_make();
        send_with(i % 2 == 0 ? 9999 : 8, lingerings[i].server);
        fd_close(lingerings[i].server);
    }
    send_with(9999, -1);
    send_with(8, theirs);
    theirs = fd_close(theirs);
    ck_assert(worker_unit_is_alive(worker->channel));
    (void)take_last_words();
    closer_end();
    while (worker_unit_is_alive(worker->channel))
        usleep(1000); /* until another process has closed the copy that was taken out */
    for (int i = 0; i < 6; i++)
        lingering_read_to_end(&lingerings[i]);
    ck_assert_uint_lt(seconds_since(now), LINGER_SEC / 2);
    teardown();
}
END_TEST

/* More than ever lay there before. */
START_TEST(test_a_full_channel_is_taken_out)
{
    const int much = 4 * 1024 * 1024;
    unsigned n = 0;

    setup();
    /* Beyond what the system allows, for whom it allows that. */
    (void)setsockopt(theirs, SOL_SOCKET, SO_SNDBUFFORCE, &much, sizeof(much));
    struct connection *last = hand_off();
    while (channel_send(theirs, "12345678", 8, NULL, 0) == 0)
        n++;
    ck_assert_uint_gt(n, 100);
    (void)take_last_words();
    ck_assert_int_eq(last->state, CONNECTION_HANDOFF);
    char byte;
    ck_assert_int_eq(recv(worker->channel, &byte, 1, MSG_DONTWAIT), 0);
    teardown();
}
END_TEST

SUITE("last_words", NULL, NULL, test_what_stands_before_a_broken_packet_counts,
      test_a_drain_that_was_announced_counts, test_everything_behind_a_broken_packet_is_taken_out,
      test_a_full_channel_is_taken_out)
