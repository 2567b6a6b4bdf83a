/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Connections given to a worker, and what comes back. */
#include "support/random.h"
#include "support/suite.h"

#include "base/fd.h"
#include "libdispatcher/fake_dispatcher.h"
#include "libdispatcher/internal.h"
#include "libdispatcher/talkative_worker.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static struct fake_dispatcher the_fake, *const fake = &the_fake;

static void start(const char *max_conns)
{
    struct fake_welcome welcome = fake_welcome_default();

    welcome.max_conns = max_conns;
    fake_start(fake, &WORKER_UNDER_TEST, 10000);
    fake_greet(fake, &welcome);
}

static void kill_worker(void)
{
    kill(fake->worker, SIGKILL);
    ck_assert(WIFSIGNALED(fake_wait_end(fake)));
}

START_TEST(test_tells_the_program_about_the_connection)
{
    struct connection_record record = {.flags = CONNECTION_FLAG_TLS};
    char tag[CONNECTION_TEXT_MAX + 1];
    char expected[2048];

    start("10");
    ck_assert_int_eq(address_parse("2001:db8::7", &record.peer), 0);
    record.peer.port = 40000;
    ck_assert_int_eq(address_parse("192.0.2.1", &record.local), 0);
    record.local.port = 465;
    size_t c = fake_connect_as(fake, record, "EXTERNAL", "a note");
    ck_assert_str_eq(fake_ask(fake, c, "c"), "fedcba9800000000 2001:db8::7 40000 192.0.2.1 465 1 "
                                             "'EXTERNAL' 'a note' 28/40000 16/465");
    /* An IPv4 client, no TLS, the longest tag. */
    memset(tag, 'x', CONNECTION_TEXT_MAX);
    tag[CONNECTION_TEXT_MAX] = '\0';
    record.peer = record.local;
    record.flags = 0;
    c = fake_connect_as(fake, record, tag, "");
    snprintf(expected, sizeof(expected),
             "fedcba9800000001 192.0.2.1 465 192.0.2.1 465 0 '%s' '' 16/465 16/465", tag);
    ck_assert_str_eq(fake_ask(fake, c, "c"), expected);
    /* A place that was used before tells nothing of its last connection. */
    fake_hang_up(fake, c);
    FAKE_WAIT(fake->n_ended == 1);
    c = fake_connect_as(fake, (struct connection_record){.peer.family = AF_UNIX}, "", "");
    ck_assert_str_eq(fake_ask(fake, c, "c"), "fedcba9800000002 unix 0 unknown 0 0 '' '' 2/0 0/0");
    kill_worker();
}
END_TEST

START_TEST(test_serves_up_to_max_conns_at_a_time)
{
    start("50");
    for (size_t i = 0; i < 50; i++)
        fake_connect(fake);
    for (size_t i = 0; i < 50; i++) /* all of them live at once, in any order */
        ck_assert_str_eq(fake_ask(fake, (i * 17) % 50, "d"), "0");
    size_t over = fake_connect(fake);
    FAKE_WAIT(fake->n_refused == 1);
    ck_assert_int_eq(fake->connections[over].state, FAKE_REFUSED);
    ck_assert(!fake->is_draining);
    /* A place is free as soon as the end of a session is known. */
    for (size_t i = 0; i < 50; i++) {
        fake_hang_up(fake, i);
        FAKE_WAIT(fake->n_ended == i + 1);
        ck_assert_str_eq(fake_ask(fake, fake_connect(fake), "d"), "0");
    }
    ck_assert_uint_eq(fake->n_refused, 1);
    kill_worker();
}
END_TEST

START_TEST(test_a_place_is_free_before_its_end_is_told)
{
    start("3");
    for (size_t i = 0; i < 3000; i++) {
        size_t c = fake_connect(fake);
        FAKE_WAIT(c - fake->n_ended < 2);
        ck_assert_int_eq(write(fake->connections[c].client, "q", 1), 1);
        fake_hang_up(fake, c);
        FAKE_WAIT(c + 1 - fake->n_ended < 3);
    }
    FAKE_WAIT(fake->n_ended == fake->n_connections);
    ck_assert_uint_eq(fake->n_refused, 0);
    kill_worker();
}
END_TEST

static int thread_of(size_t connection)
{
    return atoi(fake_ask(fake, connection, "t"));
}

START_TEST(test_wakes_the_thread_that_slept_least)
{
    int threads[50];
    size_t n_threads = 0;

    start("49");
    for (size_t i = 0; i < 1000; i++) {
        size_t c = fake_connect(fake);
        int thread = thread_of(c);
        size_t k = 0;

        while (k < n_threads && threads[k] != thread)
            k++;
        if (k == n_threads)
            threads[n_threads++] = thread;
        fake_hang_up(fake, c);
        FAKE_WAIT(fake->n_ended == i + 1);
    }
    /* A few, since one that has told an end may not sleep yet when the next connection comes. */
    ck_assert_uint_lt(n_threads, 25);
    kill_worker();
}
END_TEST

START_TEST(test_acknowledges_together_what_came_together)
{
    start("50");
    fake_freeze(fake);
    for (size_t i = 0; i < 30; i++)
        fake_connect(fake);
    kill(fake->worker, SIGCONT);
    FAKE_WAIT(fake->n_acknowledged == 30);
    ck_assert_uint_eq(fake->n_at_once, 30);
    kill_worker();
}
END_TEST

START_TEST(test_takes_many_connections_in_one_message)
{
    static const struct connection_record record = {.peer.family = AF_UNIX};
    struct {
        struct message_header header;
        struct connection_record records[MESSAGE_FDS_MAX];
    } message = {.header = {MESSAGE_CONNECTION, MESSAGE_FDS_MAX}};
    int fds[MESSAGE_FDS_MAX];

    start("50");
    for (size_t i = 0; i < MESSAGE_FDS_MAX; i++) {
        int pair[2];

        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
        fake->connections[i] = (struct fake_connection){FAKE_SENT, pair[0], pair[1]};
        fds[i] = pair[1];
        message.records[i] = record;
        message.records[i].id = FAKE_FIRST_ID + i;
    }
    fake->n_connections = MESSAGE_FDS_MAX;
    fake_send_packet(fake, &message, sizeof(message), fds, MESSAGE_FDS_MAX);
    for (size_t i = 0; i < MESSAGE_FDS_MAX; i++) {
        char id[32];

        snprintf(id, sizeof(id), "%016" PRIx64 " unix", FAKE_FIRST_ID + i);
        ck_assert_ptr_nonnull(strstr(fake_ask(fake, i, "c"), id));
    }
    kill_worker();
}
END_TEST

START_TEST(test_leaks_no_descriptor)
{
    start("4");
    size_t c = fake_connect(fake);
    int before = atoi(fake_ask(fake, c, "f"));

    for (size_t i = 0; i < 200; i++) {
        size_t n_over = fake->n_refused;
        size_t d[4];
        for (size_t k = 0; k < 4; k++)
            d[k] = fake_connect(fake);
        FAKE_WAIT(fake->n_refused == n_over + 1); /* one of them has no place */
        for (size_t k = 0; k < 4; k++)
            fake_hang_up(fake, d[k]);
        FAKE_WAIT(fake->n_ended == 3 * (i + 1));
    }
    ck_assert_int_eq(atoi(fake_ask(fake, c, "f")), before);
    kill_worker();
}
END_TEST

/* Room for two more descriptors. */
static int limit_descriptors(dispatcher_worker *worker, void *userdata)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    const struct rlimit limit = {(rlim_t)fd + 2, (rlim_t)fd + 2};

    (void)worker;
    (void)userdata;
    fd_close(fd);
    return setrlimit(RLIMIT_NOFILE, &limit) < 0 ? -errno : 0;
}

START_TEST(test_drains_when_it_may_have_no_more_descriptors)
{
    const struct dispatcher_worker_callbacks callbacks = {.start = limit_descriptors,
                                                          .serve = talkative_serve};
    struct fake_welcome welcome = fake_welcome_default();

    fake_start(fake, &callbacks, 10000);
    fake_greet(fake, &welcome);
    for (size_t i = 0; i < 2; i++)
        ck_assert_str_eq(fake_ask(fake, fake_connect(fake), "d"), "0");
    size_t c = fake_connect(fake);
    FAKE_WAIT(fake->n_refused == 1);
    ck_assert(fake->is_draining);
    ck_assert_int_eq(fake->connections[c].state, FAKE_REFUSED);
    ck_assert_ptr_nonnull(strstr(fake_text_of(fake->errors), "raise LimitNOFILE= of its unit\n"));
    fake_hang_up(fake, 0);
    fake_hang_up(fake, 1);
    ck_assert_int_eq(fake_wait_end(fake), 0);
    ck_assert_uint_eq(fake->n_ended, 2);
}
END_TEST

START_TEST(test_a_place_is_small)
{
    ck_assert_uint_le(sizeof(struct session), 384);
}
END_TEST

/* Whatever came before a question is in its answer, whoever received which. */
START_TEST(test_tells_a_new_dispatcher_all_that_it_has)
{
    struct random_source random = random_start();
    size_t first_open = 0;

    start("50");
    for (int round = 0; round < 60; round++) {
        for (uint64_t n = random_between(&random, 0, 20); n > 0; n--)
            if (random_next(&random) % 3 > 0 && fake->n_connections - fake->n_ended < 50)
                fake_connect(fake);
            else if (first_open < fake->n_connections)
                fake_hang_up(fake, first_open++);
        fake_adopt(fake);
        for (uint64_t n = random_between(&random, 0, 3); n > 0; n--)
            if (fake->n_connections - fake->n_ended < 50)
                fake_connect(fake);
        FAKE_WAIT(!fake->is_adopting);
        ck_assert_uint_eq(fake->n_ready, 50);
    }
    while (first_open < fake->n_connections)
        fake_hang_up(fake, first_open++);
    FAKE_WAIT(fake->n_ended == fake->n_connections);
    ck_assert_uint_eq(fake->n_refused, 0);
    kill_worker();
}
END_TEST

/* The first of two new dispatchers is dead when the worker answers. */
START_TEST(test_tells_each_of_two_new_dispatchers_what_it_has)
{
    start("50");
    for (int i = 0; i < 20; i++)
        fake_connect(fake);
    FAKE_WAIT(fake->n_acknowledged == 20);
    fake_freeze(fake);
    fake_adopt(fake);
    fake_adopt(fake);
    kill(fake->worker, SIGCONT);
    FAKE_WAIT(!fake->is_adopting);
    ck_assert_uint_eq(fake->n_old_answers, 1);
    ck_assert_uint_eq(fake->n_ready, 50);
    ck_assert_uint_eq(fake->n_held, 20);
    for (size_t i = 0; i < 20; i++)
        fake_hang_up(fake, i);
    FAKE_WAIT(fake->n_ended == 20);
    kill_worker();
}
END_TEST

/* The order of packets holds, whoever received which. */
START_TEST(test_takes_what_came_before_the_order_to_drain_and_nothing_after)
{
    for (int round = 0; round < 20; round++) {
        start("40");
        for (int i = 0; i < 20; i++)
            fake_connect(fake);
        fake_send_value(fake, MESSAGE_DRAIN, 3600);
        for (int i = 0; i < 20; i++)
            fake_connect(fake);
        FAKE_WAIT(fake->n_acknowledged + fake->n_refused == 40);
        for (size_t i = 0; i < 40; i++)
            ck_assert_int_eq(fake->connections[i].state, i < 20 ? FAKE_ACKNOWLEDGED : FAKE_REFUSED);
        for (size_t i = 0; i < 20; i++)
            fake_hang_up(fake, i);
        ck_assert_int_eq(fake_wait_end(fake), 0);
        ck_assert_uint_eq(fake->n_ended, 20);
        for (size_t i = 20; i < 40; i++)
            fake_hang_up(fake, i);
        fd_close(fake->channel);
        fd_close(fake->errors);
    }
}
END_TEST

/* Random lives, each cut by SIGKILL at a random moment: fake_read() checks that what is still to
 * be read afterwards is true. */
START_TEST(test_what_it_said_before_a_sudden_death_is_true)
{
    struct random_source random = random_start();

    for (int round = 0; round < 25; round++) {
        size_t first_open = 0;

        start("10");
        for (uint64_t n = random_between(&random, 0, 60); n > 0; n--) {
            if (random_next(&random) % 3 > 0 && fake->n_connections - first_open < 10)
                (void)!write(fake->connections[fake_connect(fake)].client, "d", 1);
            else if (first_open < fake->n_connections)
                fake_hang_up(fake, first_open++);
            if (random_next(&random) % 8 == 0)
                FAKE_WAIT(fake->n_acknowledged + fake->n_refused == fake->n_connections);
        }
        kill_worker();
        /* Nobody else has lost a client: our copy of what was not acknowledged still works. */
        for (size_t i = 0; i < fake->n_connections; i++) {
            struct fake_connection *c = &fake->connections[i];
            if (c->state == FAKE_SENT && c->client >= 0)
                ck_assert_int_eq(write(c->server, "220\r\n", 5), 5);
            fd_close(c->client);
            fd_close(c->server);
        }
        fd_close(fake->channel);
        fd_close(fake->errors);
    }
}
END_TEST

SUITE("sessions", NULL, NULL, test_tells_the_program_about_the_connection,
      test_serves_up_to_max_conns_at_a_time, test_a_place_is_free_before_its_end_is_told,
      test_wakes_the_thread_that_slept_least, test_acknowledges_together_what_came_together,
      test_takes_many_connections_in_one_message, test_leaks_no_descriptor, test_a_place_is_small,
      test_drains_when_it_may_have_no_more_descriptors, test_tells_a_new_dispatcher_all_that_it_has,
      test_tells_each_of_two_new_dispatchers_what_it_has,
      test_takes_what_came_before_the_order_to_drain_and_nothing_after,
      test_what_it_said_before_a_sudden_death_is_true)
