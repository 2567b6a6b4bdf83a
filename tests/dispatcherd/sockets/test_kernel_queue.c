/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* With true sockets, since the kernel is asked about them; the time is the test's. */
#include "base/fd.h"
#include "base/macro.h"
#include "base/time.h"
#include "dispatcherd/sockets/kernel_queue.h"
#include "dispatcherd/sockets/listening_socket.h"
#include "support/suite.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#define N_LISTENERS 2
#define CLIENTS_MAX 8
#define BACKLOG     5
#define LIMIT_USEC  (30 * USEC_PER_SEC)

static const uint64_t start = 1000 * USEC_PER_SEC;

static struct listener listeners[N_LISTENERS];
static struct sockaddr_in addresses[N_LISTENERS];
static struct backlog backlog;
static int clients[CLIENTS_MAX];
static size_t n_clients;

static void set_up(void)
{
    for (size_t i = 0; i < N_LISTENERS; i++) {
        socklen_t length = sizeof(addresses[i]);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        addresses[i] =
            (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        ck_assert_int_eq(bind(fd, (struct sockaddr *)&addresses[i], length), 0);
        ck_assert_int_eq(listen(fd, BACKLOG), 0);
        ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&addresses[i], &length), 0);
        listeners[i] = (struct listener){.fd = fd};
    }
    backlog = (struct backlog){0};
    queue_init(&backlog);
    n_clients = 0;
}

static void tear_down(void)
{
    while (n_clients > 0)
        fd_close(clients[--n_clients]);
    for (size_t i = 0; i < N_LISTENERS; i++)
        listeners[i].fd = fd_close(listeners[i].fd);
}

/* A client whose SYN is sent. */
static void begin_client(size_t listener)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    ck_assert_uint_lt(n_clients, CLIENTS_MAX);
    (void)connect(fd, (struct sockaddr *)&addresses[listener], sizeof(addresses[listener]));
    clients[n_clients++] = fd;
}

/* A client that is in the queue. */
static void add_client(size_t listener)
{
    const uint64_t end = time_now_usec(CLOCK_MONOTONIC) + LIMIT_USEC;
    uint64_t n_before = queue_look(&listeners[listener]).n_waiting;

    begin_client(listener);
    while (queue_look(&listeners[listener]).n_waiting == n_before)
        ck_assert_uint_lt(time_now_usec(CLOCK_MONOTONIC), end);
}

static int accept_client(size_t listener)
{
    int fd = accept4(listeners[listener].fd, NULL, NULL, SOCK_CLOEXEC);

    ck_assert_int_ge(fd, 0);
    return fd;
}

static uint64_t watch(bool is_accepting, uint64_t now)
{
    return queue_watch(&backlog, listeners, N_LISTENERS, is_accepting, now);
}

static void note_crowd(uint64_t now)
{
    queue_note_crowd(&backlog, listeners, N_LISTENERS, now);
}

START_TEST(test_sees_how_many_wait_and_how_many_may)
{
    ck_assert_uint_eq(queue_look(&listeners[0]).n_waiting, 0);
    add_client(0);
    add_client(0);
    ck_assert_uint_eq(queue_look(&listeners[0]).n_waiting, 2);
    ck_assert_uint_eq(queue_look(&listeners[0]).limit, BACKLOG);
    ck_assert_uint_eq(queue_look(&listeners[0]).n_dropped, 0);
    ck_assert_uint_eq(queue_look(&listeners[1]).n_waiting, 0);
    fd_close(accept_client(0));
    ck_assert_uint_eq(queue_look(&listeners[0]).n_waiting, 1);
}
END_TEST

START_TEST(test_sees_what_the_kernel_has_dropped)
{
    const uint64_t end = time_now_usec(CLOCK_MONOTONIC) + LIMIT_USEC;

    /* The kernel takes one more than the limit. */
    for (unsigned i = 0; i <= BACKLOG; i++)
        add_client(0);
    ck_assert_uint_eq(queue_look(&listeners[0]).n_dropped, 0);
    begin_client(0);
    while (queue_look(&listeners[0]).n_dropped == 0)
        ck_assert_uint_lt(time_now_usec(CLOCK_MONOTONIC), end);
    ck_assert_uint_eq(queue_look(&listeners[0]).n_waiting, BACKLOG + 1);
}
END_TEST

START_TEST(test_sees_nothing_of_other_sockets)
{
    const int others[] = {socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0),
                          socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), -1};

    for (size_t i = 0; i < ELEMENTSOF(others); i++) {
        const struct listener listener = {.fd = others[i]};
        const struct queue_depth depth = queue_look(&listener);

        ck_assert_uint_eq(depth.n_waiting, 0);
        ck_assert_uint_eq(depth.limit, 0);
        ck_assert_uint_eq(depth.n_dropped, 0);
        fd_close(others[i]);
    }
}
END_TEST

START_TEST(test_who_accepts_need_not_look)
{
    add_client(0);
    ck_assert_uint_eq(watch(true, start), USEC_INFINITY);
    ck_assert_uint_eq(backlog.since, 0);
    ck_assert_uint_eq(listeners[0].waiting_since, 0);
}
END_TEST

/* They came while nothing was accepted, and are found only when the loop comes round. */
START_TEST(test_clients_may_be_left_for_a_moment_after_it_accepts_again)
{
    for (unsigned i = 0; i < 2; i++) {
        uint64_t again = start + (1 + i) * USEC_PER_SEC;

        watch(true, again);
        ck_assert(backlog.is_left);
        watch(true, again + USEC_PER_SEC / 10 - 1);
        ck_assert(backlog.is_left);
        watch(true, again + USEC_PER_SEC / 10);
        ck_assert(!backlog.is_left);
        watch(false, again + USEC_PER_SEC / 2);
        ck_assert(backlog.is_left);
    }
}
END_TEST

START_TEST(test_empty_queues_are_looked_at_once_a_second)
{
    ck_assert(backlog.is_left);
    ck_assert_uint_eq(watch(false, start), start + USEC_PER_SEC);
    ck_assert_uint_eq(backlog.since, 0);
    ck_assert_uint_eq(backlog.n_clients, 0);
    add_client(1);
    ck_assert_uint_eq(watch(false, start + USEC_PER_SEC - 1), start + USEC_PER_SEC);
    ck_assert_uint_eq(backlog.n_clients, 0);
    ck_assert_uint_eq(watch(false, start + USEC_PER_SEC), start + 2 * USEC_PER_SEC);
    ck_assert_uint_eq(backlog.n_clients, 1);
    ck_assert_uint_eq(backlog.since, start + USEC_PER_SEC);
    ck_assert_uint_eq(listeners[1].waiting_since, start + USEC_PER_SEC);
    ck_assert_uint_eq(listeners[1].stuck_since, start + USEC_PER_SEC);
    ck_assert_uint_eq(listeners[0].waiting_since, 0);
    ck_assert(backlog.is_left);
}
END_TEST

START_TEST(test_knows_since_when_clients_wait)
{
    add_client(0);
    watch(false, start);
    add_client(1);
    watch(false, start + USEC_PER_SEC);
    ck_assert_uint_eq(backlog.n_clients, 2);
    ck_assert_uint_eq(backlog.since, start);
    ck_assert_uint_eq(listeners[0].waiting_since, start);
    ck_assert_uint_eq(listeners[1].waiting_since, start + USEC_PER_SEC);
    /* One queue becomes empty, and then the other. */
    fd_close(accept_client(0));
    watch(false, start + 2 * USEC_PER_SEC);
    ck_assert_uint_eq(backlog.n_clients, 1);
    ck_assert_uint_eq(backlog.since, start);
    ck_assert_uint_eq(listeners[0].waiting_since, 0);
    ck_assert_uint_eq(listeners[0].stuck_since, 0);
    ck_assert_uint_eq(listeners[1].waiting_since, start + USEC_PER_SEC);
    fd_close(accept_client(1));
    watch(false, start + 3 * USEC_PER_SEC);
    ck_assert_uint_eq(backlog.n_clients, 0);
    ck_assert_uint_eq(backlog.since, 0);
    ck_assert_uint_eq(listeners[1].waiting_since, 0);
}
END_TEST

/* The listener sets that back when it accepts one. */
START_TEST(test_a_queue_that_moves_is_stuck_from_the_next_look)
{
    add_client(0);
    watch(false, start);
    listeners[0].stuck_since = 0;
    watch(false, start + USEC_PER_SEC);
    ck_assert_uint_eq(listeners[0].waiting_since, start);
    ck_assert_uint_eq(listeners[0].stuck_since, start + USEC_PER_SEC);
}
END_TEST

START_TEST(test_all_is_forgotten_when_it_accepts_again)
{
    add_client(0);
    watch(false, start);
    ck_assert_uint_eq(watch(true, start + 1), USEC_INFINITY);
    ck_assert_uint_eq(backlog.since, 0);
    ck_assert_uint_eq(backlog.n_clients, 0);
    ck_assert_uint_eq(listeners[0].waiting_since, 0);
    ck_assert_uint_eq(listeners[0].stuck_since, 0);
    /* The next look need not wait for a second. */
    watch(false, start + 2);
    ck_assert_uint_eq(backlog.since, start + 2);
}
END_TEST

START_TEST(test_the_largest_crowd_is_kept_until_it_is_taken)
{
    ck_assert_uint_eq(queue_take_crowd(&backlog), 0);
    add_client(0);
    add_client(0);
    add_client(1);
    note_crowd(start);
    fd_close(accept_client(0));
    note_crowd(start + USEC_PER_SEC);
    ck_assert_uint_eq(queue_take_crowd(&backlog), 3);
    ck_assert_uint_eq(queue_take_crowd(&backlog), 0);
    note_crowd(start + 2 * USEC_PER_SEC);
    ck_assert_uint_eq(queue_take_crowd(&backlog), 2);
}
END_TEST

START_TEST(test_a_crowd_is_counted_every_millisecond)
{
    note_crowd(start);
    add_client(0);
    note_crowd(start + USEC_PER_MSEC - 1);
    ck_assert_uint_eq(backlog.n_crowd, 0);
    note_crowd(start + USEC_PER_MSEC);
    ck_assert_uint_eq(backlog.n_crowd, 1);
}
END_TEST

/* They are accepted at once, so there is no crowd. */
START_TEST(test_no_crowd_is_counted_while_all_are_accepted)
{
    watch(true, start);
    add_client(0);
    note_crowd(start);
    ck_assert_uint_eq(queue_take_crowd(&backlog), 0);
}
END_TEST

START_TEST(test_the_queue_that_is_stuck_for_longest_counts)
{
    static const struct {
        uint64_t one, two, since;
    } cases[] = {{0, 0, 0}, {5, 0, 5}, {0, 7, 7}, {5, 7, 5}, {7, 5, 5}, {5, 5, 5}};

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        listeners[0].stuck_since = cases[i].one;
        listeners[1].stuck_since = cases[i].two;
        ck_assert_uint_eq(queue_stuck_since(listeners, N_LISTENERS), cases[i].since);
    }
    ck_assert_uint_eq(queue_stuck_since(listeners, 0), 0);
}
END_TEST

/* As long as those who have waited keep coming. */
START_TEST(test_a_long_queue_may_take_long)
{
    const uint64_t left = USEC_PER_SEC / 10;

    add_client(0);
    add_client(0);
    uint64_t began = time_now_usec(CLOCK_MONOTONIC);
    watch(true, start);
    while (time_now_usec(CLOCK_MONOTONIC) < began + 2 * left)
        (void)usleep(1000);
    int first = accept_client(0), second = accept_client(0);
    ck_assert_uint_ge(queue_time(&backlog, first, start + left - 1), left);
    watch(true, start + left);
    ck_assert(backlog.is_left);
    ck_assert_uint_ge(queue_time(&backlog, second, start + left), left);
    watch(true, start + 2 * left - 1);
    ck_assert(backlog.is_left);
    watch(true, start + 2 * left);
    ck_assert(!backlog.is_left);
    ck_assert_uint_eq(queue_time(&backlog, second, start + 2 * left), 0);
    fd_close(first);
    fd_close(second);
}
END_TEST

START_TEST(test_a_connection_was_in_the_queue_since_its_handshake)
{
    const uint64_t before = time_now_usec(CLOCK_MONOTONIC);
    uint64_t usec;

    add_client(0);
    int fd = accept_client(0);
    while ((usec = queue_time(&backlog, fd, before)) == 0)
        ck_assert_uint_lt(time_now_usec(CLOCK_MONOTONIC), before + LIMIT_USEC);
    /* The kernel counts in ticks, of 10 ms at most; a virtual machine may catch up with several. */
    ck_assert_uint_le(usec, time_now_usec(CLOCK_MONOTONIC) - before + 100 * USEC_PER_MSEC);
    fd_close(fd);
    int pair[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    ck_assert_uint_eq(queue_time(&backlog, pair[0], before), 0);
    fd_close(pair[0]);
    fd_close(pair[1]);
}
END_TEST

SUITE("kernel_queue", set_up, tear_down, test_sees_how_many_wait_and_how_many_may,
      test_sees_what_the_kernel_has_dropped, test_sees_nothing_of_other_sockets,
      test_who_accepts_need_not_look, test_clients_may_be_left_for_a_moment_after_it_accepts_again,
      test_a_long_queue_may_take_long, test_empty_queues_are_looked_at_once_a_second,
      test_knows_since_when_clients_wait, test_a_queue_that_moves_is_stuck_from_the_next_look,
      test_all_is_forgotten_when_it_accepts_again, test_the_largest_crowd_is_kept_until_it_is_taken,
      test_a_crowd_is_counted_every_millisecond, test_no_crowd_is_counted_while_all_are_accepted,
      test_the_queue_that_is_stuck_for_longest_counts,
      test_a_connection_was_in_the_queue_since_its_handshake)
