/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What a worker's channel carries when connections are handed off, and what becomes of those that
 * it does not carry. */
#include "support/suite.h"

#include "base/fd.h"
#include "base/time.h"
#include "dispatcherd/control_scene.h"
#include "dispatcherd/worker/handoff.h"
#include "dispatcherd/worker/life.h"
#include "protocol/channel.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    N_PLACES = 40,
    N_WORKERS = 2
};

static struct control_scene scene;
static struct service *service;
static struct worker *workers[N_WORKERS];
static int theirs[N_WORKERS];
static uint64_t ids[N_PLACES];
static unsigned n_begun;

static void setup(void)
{
    scene_init(&scene, "[SERVICE=TEST]\nPORT=25\nIMAGE=/bin/true\nMAX_CONNS=40\n");
    service = scene.services[0];
    n_begun = 0;
    for (unsigned i = 0; i < N_WORKERS; i++) {
        int pair[2];

        workers[i] = scene_add_worker(&scene, 0, i, 4711 + (pid_t)i);
        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
        workers[i]->channel = pair[0];
        theirs[i] = pair[1];
        ck_assert_int_eq(worker_life_begin(workers[i]), 0);
    }
}

static void teardown(void)
{
    for (unsigned i = 0; i < N_WORKERS; i++)
        fd_close(theirs[i]);
    scene_clear(&scene);
}

/* One that waits, with a descriptor that can be told from the others. */
static void add_waiting(unsigned number, size_t note_length)
{
    struct connection *connection = scene_add_connection(&scene, 0, NULL);
    char note[CONNECTION_TEXT_MAX + 1];

    memset(note, 'n', note_length);
    note[note_length] = '\0';
    connection_set_texts(connection, "", note);
    connection->fd = eventfd(number + 1, EFD_CLOEXEC);
    ids[number] = connection->id;
}

static void fill_channel(unsigned which)
{
    const uint64_t byte = 0;

    while (channel_send(workers[which]->channel, &byte, sizeof(byte), NULL, 0) == 0)
        ;
}

static void begin(unsigned which)
{
    n_begun++;
    handoff_begin(service, workers[which], time_now_usec(CLOCK_MONOTONIC));
}

static bool send_all(void)
{
    return handoffs_send(service, time_now_usec(CLOCK_MONOTONIC));
}

/* Receives a packet and checks that it has the connections from `first` on, every `step`th, each
 * with its own descriptor. Returns their number; 0: there is no packet. */
static unsigned receive(unsigned which, unsigned first, unsigned step)
{
    static uint64_t bytes[MESSAGE_BYTES_MAX / sizeof(uint64_t)];
    struct message message;
    struct connection_view view;
    int fds[MESSAGE_FDS_MAX];
    size_t n_fds, offset = 0;
    pid_t pid;
    ssize_t length = channel_receive(theirs[which], bytes, sizeof(bytes), fds, &n_fds, &pid);

    if (length == -EAGAIN)
        return 0;
    ck_assert_int_gt(length, 0);
    ck_assert_int_eq(message_read(bytes, (size_t)length, &message), 0);
    ck_assert_uint_eq(message.length, (size_t)length);
    ck_assert_int_eq(message.type, MESSAGE_CONNECTION);
    ck_assert_uint_eq(message.value, n_fds);
    for (unsigned i = 0; i < n_fds; i++) {
        uint64_t number = 0;

        ck_assert(message_next_connection(&message, &offset, &view));
        ck_assert_uint_eq(view.record->id, ids[first + i * step]);
        ck_assert_int_eq(read(fds[i], &number, sizeof(number)), sizeof(number));
        ck_assert_uint_eq(number, first + i * step + 1);
        fd_close(fds[i]);
    }
    ck_assert(!message_next_connection(&message, &offset, &view));
    return (unsigned)n_fds;
}

static void check_waiting(unsigned n)
{
    struct connection *connection;
    unsigned i = 0;

    TAILQ_FOREACH(connection, &service->waiting, queue_link) {
        ck_assert_uint_eq(connection->id, ids[i++]);
        ck_assert_int_eq(connection->state, CONNECTION_WAITING);
    }
    ck_assert_uint_eq(i, n);
    ck_assert_uint_eq(service->pool->n_waiting, n);
    ck_assert_uint_eq(service->pool->n_handoffs, n_begun - n);
    ck_assert_uint_eq(service->unsent.n, 0);
    ck_assert_uint_eq(service->statistics->n_failed_handoffs, 0);
}

START_TEST(test_each_worker_gets_its_own_in_one_packet)
{
    setup();
    for (unsigned i = 0; i < 9; i++)
        add_waiting(i, 0);
    for (unsigned i = 0; i < 9; i++)
        begin(i % 2);
    ck_assert_uint_eq(receive(0, 0, 2), 0);
    ck_assert_uint_eq(service->unsent.n, 9);
    ck_assert(send_all());
    ck_assert_uint_eq(receive(0, 0, 2), 5);
    ck_assert_uint_eq(receive(1, 1, 2), 4);
    ck_assert_uint_eq(receive(0, 0, 2) + receive(1, 1, 2), 0);
    check_waiting(0);
    ck_assert(send_all());
    ck_assert_uint_eq(receive(0, 0, 2) + receive(1, 1, 2), 0);
    teardown();
}
END_TEST

/* By the number of descriptors, and by the length of their notes. */
START_TEST(test_what_is_too_much_for_one_packet_goes_in_several)
{
    for (size_t note_length = 0; note_length <= CONNECTION_TEXT_MAX; note_length += 128) {
        unsigned n_received = 0, n;

        setup();
        for (unsigned i = 0; i < N_PLACES; i++)
            add_waiting(i, note_length);
        for (unsigned i = 0; i < N_PLACES; i++)
            begin(0);
        ck_assert(send_all());
        while ((n = receive(0, n_received, 1)) > 0)
            n_received += n;
        ck_assert_uint_eq(n_received, N_PLACES);
        check_waiting(0);
        teardown();
    }
}
END_TEST

START_TEST(test_a_full_channel_gives_back_in_order)
{
    setup();
    for (unsigned i = 0; i < 5; i++)
        add_waiting(i, 0);
    fill_channel(0);
    for (unsigned i = 0; i < 5; i++)
        begin(0);
    ck_assert(!send_all());
    check_waiting(5);
    teardown();
}
END_TEST

START_TEST(test_a_worker_is_blocked_while_there_is_any_reason)
{
    setup();
    worker_rest(workers[0], 60 * USEC_PER_SEC);
    worker_block(workers[0], WORKER_CHANNEL_IS_FULL);
    worker_unblock(workers[0], WORKER_RESTS);
    ck_assert(service->pool->workers[0].is_blocked);
    worker_rest(workers[0], 60 * USEC_PER_SEC);
    worker_unblock(workers[0], WORKER_CHANNEL_IS_FULL);
    ck_assert(service->pool->workers[0].is_blocked);
    worker_unblock(workers[0], WORKER_RESTS);
    ck_assert(!service->pool->workers[0].is_blocked);
    teardown();
}
END_TEST

/* What comes behind it still goes where it should. */
START_TEST(test_one_full_channel_does_not_hold_up_another)
{
    setup();
    for (unsigned i = 0; i < 8; i++)
        add_waiting(i, 0);
    fill_channel(0);
    for (unsigned i = 0; i < 8; i++)
        begin(i < 4 ? 0 : 1);
    ck_assert(!send_all());
    ck_assert_uint_eq(receive(1, 4, 1), 4);
    check_waiting(4);
    ck_assert(service->pool->workers[0].is_blocked);
    ck_assert(!service->pool->workers[1].is_blocked);
    teardown();
}
END_TEST

/* The worker is watched for what it was sent, whatever came after that. */
START_TEST(test_a_channel_that_fills_keeps_what_it_has_taken)
{
    const int smallest = 0;
    unsigned n_received = 0, n;

    setup();
    ck_assert_int_eq(
        setsockopt(workers[0]->channel, SOL_SOCKET, SO_SNDBUF, &smallest, sizeof(smallest)), 0);
    for (unsigned i = 0; i < N_PLACES; i++)
        add_waiting(i, 512);
    for (unsigned i = 0; i < N_PLACES; i++)
        begin(0);
    ck_assert(!send_all());
    while ((n = receive(0, n_received, 1)) > 0)
        n_received += n;
    ck_assert_uint_gt(n_received, 0);
    ck_assert_uint_lt(n_received, N_PLACES);
    ck_assert_uint_eq(service->pool->n_handoffs, n_received);
    ck_assert_uint_eq(service->pool->n_waiting, N_PLACES - n_received);
    ck_assert_uint_eq(TAILQ_FIRST(&service->waiting)->id, ids[n_received]);
    ck_assert(timer_is_set(&workers[0]->limit_timer));
    teardown();
}
END_TEST

START_TEST(test_a_closed_channel_gives_back_and_is_the_end_of_the_worker)
{
    setup();
    for (unsigned i = 0; i < 3; i++)
        add_waiting(i, 0);
    theirs[0] = fd_close(theirs[0]);
    for (unsigned i = 0; i < 3; i++)
        begin(0);
    ck_assert(!send_all());
    check_waiting(3);
    ck_assert_int_eq(workers[0]->channel, -1);
    teardown();
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("handoff");

    ADD_TESTS(suite, "packets", test_each_worker_gets_its_own_in_one_packet,
              test_what_is_too_much_for_one_packet_goes_in_several);
    ADD_TESTS(suite, "coming back", test_a_full_channel_gives_back_in_order,
              test_a_worker_is_blocked_while_there_is_any_reason,
              test_one_full_channel_does_not_hold_up_another,
              test_a_channel_that_fills_keeps_what_it_has_taken,
              test_a_closed_channel_gives_back_and_is_the_end_of_the_worker);
    return suite;
}
