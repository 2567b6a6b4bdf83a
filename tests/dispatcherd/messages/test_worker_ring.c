/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What becomes of connections by what their worker writes to its ring. */
#include "support/random.h"
#include "support/suite.h"

#include "base/fd.h"
#include "base/time.h"
#include "dispatcherd/control_scene.h"
#include "dispatcherd/messages/worker_ring.h"
#include "dispatcherd/worker/life.h"
#include "dispatcherd/worker/ring_poll.h"

#include <string.h>
#include <sys/socket.h>

enum {
    N_PLACES = 20
};

static struct control_scene scene;
static struct service *service;
static struct worker *worker;
static struct ring_writer writer;
static int theirs;

/* A ready worker with a channel and a ring, and its end of both. */
static void setup(void)
{
    int fd, pair[2];

    scene_init(&scene, "[SERVICE=TEST]\nPORT=25\nIMAGE=/bin/true\nMAX_CONNS=20\n");
    service = scene.services[0];
    worker = scene_add_worker(&scene, 0, 0, 4711);
    ck_assert_uint_eq(worker->n_places, N_PLACES);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    worker->channel = pair[0];
    theirs = pair[1];
    worker->knows.ring = true;
    ck_assert_int_eq(worker_ring_open(worker, &fd), 0);
    ck_assert_int_eq(ring_writer_open(&writer, fd, worker->ring.n_entries, N_PLACES), 0);
    fd_close(fd);
}

static void teardown(void)
{
    ring_writer_free(&writer);
    fd_close(theirs);
    scene_clear(&scene);
}

static struct connection *hand_off(void)
{
    struct connection *connection = scene_add_connection(&scene, 0, NULL);

    connection_hand_off(connection, worker, time_now_usec(CLOCK_MONOTONIC));
    return connection;
}

static int write_entry(enum message_type type, uint64_t id)
{
    const struct ring_entry entry = {.id = id, .type = type};

    return ring_publish(&writer, &entry, 1);
}

START_TEST(test_acts_on_what_is_written)
{
    setup();
    struct connection *taken = hand_off(), *refused = hand_off(), *ended = hand_off();
    ck_assert(!worker_catch_up(worker));
    write_entry(MESSAGE_ACKNOWLEDGE, ended->id);
    write_entry(MESSAGE_REFUSE, refused->id);
    write_entry(MESSAGE_ACKNOWLEDGE, taken->id);
    write_entry(MESSAGE_ENDED, ended->id);
    write_entry(MESSAGE_DRAINING, 0);
    ck_assert(worker_catch_up(worker));
    ck_assert(!worker_catch_up(worker));
    ck_assert_uint_eq(ring_head(&writer), 5);
    ck_assert_int_eq(taken->state, CONNECTION_ACTIVE);
    ck_assert_int_eq(refused->state, CONNECTION_WAITING);
    ck_assert_uint_eq(worker->n_held, 1);
    ck_assert_int_eq(worker_in_pool(worker)->state, POOL_WORKER_DRAINING);
    ck_assert_ptr_null(worker->lost_reason);
    teardown();
}
END_TEST

/* The end of a young worker that has not announced a drain is reported as a failed start. */
START_TEST(test_an_unread_drain_is_read_at_the_end_of_the_process)
{
    setup();
    write_entry(MESSAGE_DRAINING, 0);
    worker_happens(worker, WORKER_PROCESS_ENDS, &(struct worker_happening){.reason = REASON_NONE});
    ck_assert_str_eq(service->failed_starts.error, "");
    teardown();
}
END_TEST

START_TEST(test_reads_nothing_of_an_adopted_worker_before_it_is_ready)
{
    setup();
    worker->state = WORKER_ADOPTED;
    write_entry(MESSAGE_ENDED, 1);
    ck_assert(!worker_catch_up(worker));
    ck_assert_ptr_null(worker->lost_reason);
    connection_adopt(worker, 1, 0);
    worker->state = WORKER_READY;
    ck_assert(worker_catch_up(worker));
    ck_assert_uint_eq(worker->n_held, 0);
    ck_assert_ptr_null(worker->lost_reason);
    teardown();
}
END_TEST

/* Each lie comes behind an acknowledgement, which counts, and before another one, which counts too:
 * the ring was not closed yet. */
START_TEST(test_a_liar_is_given_up)
{
    static const struct {
        uint32_t type;
        bool is_of_first, is_of_last;
        const char *how;
    } lies[] = {
        {MESSAGE_ACKNOWLEDGE, true, false, "does not have"},
        {MESSAGE_ACKNOWLEDGE, false, false, "does not have"},
        {MESSAGE_REFUSE, true, false, "does not have"},
        {MESSAGE_REFUSE, false, false, "does not have"},
        {MESSAGE_ENDED, false, true, "does not have"},
        {MESSAGE_ENDED, false, false, "does not have"},
        {0, true, false, "invalid entry"},
        {MESSAGE_READY, true, false, "invalid entry"},
        {MESSAGE_CONNECTION, true, false, "invalid entry"},
        {UINT32_MAX, true, false, "invalid entry"},
    };

    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        setup();
        struct connection *first = hand_off(), *last = hand_off(), *other = hand_off();
        uint64_t id = lies[i].is_of_first ? first->id : lies[i].is_of_last ? last->id : 7;

        write_entry(MESSAGE_ACKNOWLEDGE, first->id);
        write_entry(lies[i].type, id);
        write_entry(MESSAGE_ACKNOWLEDGE, last->id);
        ck_assert(worker_catch_up(worker));
        ck_assert_ptr_nonnull(worker->lost_reason);
        ck_assert_ptr_nonnull(strstr(worker->lost_reason, lies[i].how));
        ck_assert_int_eq(first->state, CONNECTION_ACTIVE);
        ck_assert_int_eq(last->state, CONNECTION_ACTIVE);
        ck_assert_int_eq(other->state, CONNECTION_WAITING);
        ck_assert_int_eq(worker->channel, -1);
        ck_assert_ptr_null(worker->ring.memory);
        ck_assert(!worker_catch_up(worker));
        teardown();
    }
}
END_TEST

START_TEST(test_a_worker_drains_once)
{
    setup();
    write_entry(MESSAGE_DRAINING, 0);
    ck_assert(worker_catch_up(worker));
    ck_assert_ptr_null(worker->lost_reason);
    write_entry(MESSAGE_DRAINING, 0);
    ck_assert(worker_catch_up(worker));
    ck_assert_ptr_nonnull(worker->lost_reason);
    teardown();
}
END_TEST

START_TEST(test_a_tail_that_cannot_be_is_a_lie)
{
    static const uint64_t tails[] = {65, 1000, UINT64_MAX & ~RING_CLOSED, UINT64_MAX,
                                     RING_CLOSED | 65};

    for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
        setup();
        ck_assert_uint_eq(worker->ring.n_entries, 64);
        struct connection *connection = hand_off();
        atomic_store(&writer.memory->tail, tails[i]);
        ck_assert(worker_catch_up(worker));
        ck_assert_ptr_nonnull(worker->lost_reason);
        ck_assert_int_eq(connection->state, CONNECTION_WAITING);
        teardown();
    }
}
END_TEST

/* However far it has come when it is given up: each connection is the worker's, or another's, and
 * both agree about whose. */
START_TEST(test_nothing_is_served_twice_when_a_worker_is_given_up)
{
    struct random_source random = random_start();

    for (int round = 0; round < 300; round++) {
        struct connection *connections[N_PLACES];
        unsigned n = (unsigned)random_between(&random, 1, N_PLACES);
        bool is_taken[N_PLACES] = {false};
        unsigned given_up_at = (unsigned)random_between(&random, 0, n);

        setup();
        for (unsigned i = 0; i < n; i++)
            connections[i] = hand_off();
        for (unsigned i = 0; i < n; i++) {
            if (i == given_up_at)
                worker_give_up(worker, "is given up", NULL);
            is_taken[i] = write_entry(MESSAGE_ACKNOWLEDGE, connections[i]->id) == 0;
            ck_assert_int_eq(is_taken[i], i < given_up_at);
            if (random_next(&random) % 4 == 0)
                (void)worker_catch_up(worker);
        }
        if (given_up_at == n)
            worker_channel_ended(worker);
        for (unsigned i = 0; i < n; i++)
            ck_assert_int_eq(connections[i]->state,
                             is_taken[i] ? CONNECTION_ACTIVE : CONNECTION_WAITING);
        teardown();
    }
}
END_TEST

/* Unread when the ring is closed: what is no entry changes nothing, least of all the connection
 * that it names, and hides nothing that stands behind it. */
START_TEST(test_what_is_no_entry_is_skipped_in_a_closed_ring)
{
    static const uint32_t types[] = {
        0, MESSAGE_READY, MESSAGE_CONNECTION, MESSAGE_NEWS, MESSAGE_DRAINING, UINT32_MAX,
    };

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        setup();
        struct connection *first = hand_off(), *last = hand_off(), *ended = hand_off();
        struct connection *other = hand_off();

        write_entry(MESSAGE_ACKNOWLEDGE, first->id);
        write_entry(types[i], first->id);
        write_entry(types[i], other->id);
        write_entry(types[i], 7);
        write_entry(MESSAGE_ACKNOWLEDGE, last->id);
        write_entry(MESSAGE_ACKNOWLEDGE, ended->id);
        write_entry(MESSAGE_ENDED, ended->id);
        worker_channel_ended(worker);
        ck_assert_int_lt(write_entry(MESSAGE_ACKNOWLEDGE, other->id), 0);
        ck_assert_ptr_null(worker->ring.memory);
        ck_assert_int_eq(first->state, CONNECTION_ACTIVE);
        ck_assert_int_eq(last->state, CONNECTION_ACTIVE);
        ck_assert_int_eq(other->state, CONNECTION_WAITING);
        ck_assert_uint_eq(worker->n_held, 2);
        /* Its end is orderly then. */
        ck_assert(worker->has_drained == (types[i] == MESSAGE_DRAINING));
        teardown();
    }
}
END_TEST

START_TEST(test_whoever_asks_for_news_hears_of_what_came_before)
{
    setup();
    struct connection *connection = hand_off(), *other = hand_off();
    write_entry(MESSAGE_ACKNOWLEDGE, connection->id);
    ck_assert(ring_poll_want(service, RING_WANTS_ANSWERS));
    ck_assert_int_eq(connection->state, CONNECTION_ACTIVE);
    ck_assert(ring_is_wanted(&writer, RING_WANTS_ANSWERS));
    ck_assert(!ring_is_wanted(&writer, RING_WANTS_ENDS));
    ck_assert(!ring_poll_want(service, RING_WANTS_ANSWERS));
    write_entry(MESSAGE_ENDED, connection->id);
    ck_assert(!ring_poll_want(service, 0));
    ck_assert(!ring_is_wanted(&writer, RING_WANTS_ANSWERS));
    ck_assert(ring_poll_want(service, RING_WANTS_ENDS));
    ck_assert_uint_eq(worker->n_held, 1);
    write_entry(MESSAGE_ACKNOWLEDGE, other->id);
    ck_assert(ring_poll_likely(service));
    ck_assert(!ring_poll_likely(service));
    ck_assert_int_eq(other->state, CONNECTION_ACTIVE);
    teardown();
}
END_TEST

/* Without a connection there is no news to be expected; with one, for as long as it is young. */
START_TEST(test_whoever_is_not_looked_at_is_to_send_news)
{
    setup();
    write_entry(MESSAGE_DRAINING, 0);
    ck_assert(!ring_poll_likely(service));
    ring_poll_one(worker);
    ck_assert(worker->has_drained);
    teardown();

    setup();
    struct connection *first = hand_off(), *last = hand_off();
    write_entry(MESSAGE_ACKNOWLEDGE, first->id);
    write_entry(MESSAGE_ACKNOWLEDGE, last->id);
    ck_assert(ring_poll_likely(service));
    ck_assert(!ring_is_wanted(&writer, RING_WANTS_ENDS));
    for (uint64_t end = time_now_usec(CLOCK_MONOTONIC) + 10 * USEC_PER_SEC;
         !ring_is_wanted(&writer, RING_WANTS_ENDS);) {
        ck_assert(time_now_usec(CLOCK_MONOTONIC) < end);
        ck_assert(!ring_poll_likely(service));
    }
    write_entry(MESSAGE_ENDED, first->id);
    ck_assert(!ring_poll_likely(service));
    ring_poll_one(worker); /* it has sent NEWS */
    ck_assert_uint_eq(worker->n_held, 1);
    ck_assert(!ring_is_wanted(&writer, RING_WANTS_ENDS));
    write_entry(MESSAGE_ENDED, last->id);
    ck_assert(ring_poll_likely(service));
    ck_assert_uint_eq(worker->n_held, 0);
    teardown();
}
END_TEST

/* The service needs the places: whoever was looked at sends NEWS, too. */
START_TEST(test_all_are_to_send_news_if_the_ends_are_waited_for)
{
    setup();
    struct connection *connection = hand_off();
    write_entry(MESSAGE_ACKNOWLEDGE, connection->id);
    ck_assert(ring_poll_likely(service));
    ck_assert(!ring_poll_want(service, RING_WANTS_ENDS));
    ck_assert(ring_is_wanted(&writer, RING_WANTS_ENDS));
    ck_assert(!ring_poll_likely(service));
    hand_off();
    ck_assert(!ring_poll_want(service, 0));
    ck_assert(!ring_is_wanted(&writer, RING_WANTS_ENDS));
    teardown();
}
END_TEST

/* As many as there are: each has its turn, and none is left out. */
START_TEST(test_each_ring_has_its_turn)
{
    enum {
        N_WORKERS = 100
    };
    struct ring_writer writers[N_WORKERS];
    struct connection *connections[N_WORKERS];
    unsigned n_read = 0, n_looks = 0;

    setup();
    for (unsigned i = 0; i < N_WORKERS; i++) {
        struct worker *other = scene_add_worker(&scene, 0, i + 1, 4712 + (pid_t)i);
        int fd;

        ck_assert_int_eq(worker_ring_open(other, &fd), 0);
        ck_assert_int_eq(ring_writer_open(&writers[i], fd, other->ring.n_entries, N_PLACES), 0);
        fd_close(fd);
        connections[i] = scene_add_connection(&scene, 0, NULL);
        connection_hand_off(connections[i], other, time_now_usec(CLOCK_MONOTONIC));
        const struct ring_entry entry = {.id = connections[i]->id, .type = MESSAGE_ACKNOWLEDGE};
        ck_assert_int_eq(ring_publish(&writers[i], &entry, 1), 0);
    }
    while (n_read < N_WORKERS) {
        unsigned n_before = n_read;

        ck_assert(ring_poll_likely(service));
        for (n_read = 0; n_read < N_WORKERS; n_read++)
            if (connections[n_read]->state != CONNECTION_ACTIVE)
                break;
        ck_assert_uint_gt(n_read, n_before);
        n_looks++;
    }
    ck_assert_uint_gt(n_looks, 1);
    for (unsigned i = 0; i < N_WORKERS; i++)
        ring_writer_free(&writers[i]);
    teardown();
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("worker ring");

    ADD_TESTS(suite, "entries", test_acts_on_what_is_written,
              test_an_unread_drain_is_read_at_the_end_of_the_process,
              test_reads_nothing_of_an_adopted_worker_before_it_is_ready,
              test_whoever_asks_for_news_hears_of_what_came_before);
    ADD_TESTS(suite, "looks", test_whoever_is_not_looked_at_is_to_send_news,
              test_all_are_to_send_news_if_the_ends_are_waited_for, test_each_ring_has_its_turn);
    ADD_TESTS(suite, "lies", test_a_liar_is_given_up, test_a_worker_drains_once,
              test_a_tail_that_cannot_be_is_a_lie);
    ADD_TESTS(suite, "end", test_nothing_is_served_twice_when_a_worker_is_given_up,
              test_what_is_no_entry_is_skipped_in_a_closed_ring);
    return suite;
}
