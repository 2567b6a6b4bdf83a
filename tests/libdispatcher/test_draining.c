/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* How a worker ends: told to, left alone, by signals, and when it is late. */
#include "support/suite.h"

#include "base/fd.h"
#include "libdispatcher/fake_dispatcher.h"
#include "libdispatcher/talkative_worker.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static struct fake_dispatcher the_fake, *const fake = &the_fake;

static void start_limited(const char *drain_limit)
{
    struct fake_welcome welcome = fake_welcome_default();

    welcome.drain_limit = drain_limit;
    fake_start(fake, &WORKER_UNDER_TEST, 10000);
    fake_greet(fake, &welcome);
}

static void start(void)
{
    start_limited("3600");
}

static void expect_cut(void)
{
    int status = fake_wait_end(fake);

    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 1);
    ck_assert_ptr_nonnull(strstr(fake_text_of(fake->errors), "closing 1 session\n"));
    ck_assert_ptr_null(strstr(fake_text_of(fake->errors), "stop called"));
}

static void expect_clean_end(void)
{
    int status = fake_wait_end(fake);

    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0,
                  "wait status %#x; the worker says: %s", status, fake_text_of(fake->errors));
    ck_assert_str_eq(fake_text_of(fake->errors), "stop called\n");
}

START_TEST(test_an_idle_worker_ends_when_told)
{
    start();
    fake_send_value(fake, MESSAGE_DRAIN, 0);
    expect_clean_end();
    ck_assert(!fake->is_draining); /* who gave the order need not be told */
}
END_TEST

START_TEST(test_sessions_go_on_while_it_drains)
{
    start();
    size_t a = fake_connect(fake), b = fake_connect(fake);
    ck_assert_str_eq(fake_ask(fake, a, "d"), "0");
    ck_assert_str_eq(fake_ask(fake, b, "d"), "0");
    fake_send_value(fake, MESSAGE_DRAIN, 3600);
    size_t late = fake_connect(fake);
    FAKE_WAIT(fake->n_refused == 1);
    ck_assert_int_eq(fake->connections[late].state, FAKE_REFUSED);
    ck_assert_str_eq(fake_ask(fake, a, "d"), "1");
    fake_hang_up(fake, a);
    FAKE_WAIT(fake->n_ended == 1);
    ck_assert_str_eq(fake_ask(fake, b, "d"), "1");
    fake_hang_up(fake, b);
    expect_clean_end();
    ck_assert_uint_eq(fake->n_ended, 2);
}
END_TEST

START_TEST(test_sessions_go_on_after_the_end_of_the_channel)
{
    start();
    size_t a = fake_connect(fake), b = fake_connect(fake);
    ck_assert_str_eq(fake_ask(fake, a, "d"), "0");
    ck_assert_str_eq(fake_ask(fake, b, "d"), "0");
    fake_close_channel(fake);
    fake_hang_up(fake, a);
    while (strcmp(fake_ask(fake, b, "d"), "1") != 0)
        ;
    fake_hang_up(fake, b);
    expect_clean_end();
}
END_TEST

START_TEST(test_sigterm_drains_and_says_so)
{
    start();
    size_t c = fake_connect(fake);
    ck_assert_str_eq(fake_ask(fake, c, "d"), "0");
    kill(fake->worker, SIGTERM);
    FAKE_WAIT(fake->is_draining);
    ck_assert_str_eq(fake_ask(fake, c, "d"), "1");
    fake_connect(fake);
    FAKE_WAIT(fake->n_refused == 1);
    fake_hang_up(fake, c);
    expect_clean_end();
}
END_TEST

START_TEST(test_tells_a_stop_from_a_recycling)
{
    start();
    size_t c = fake_connect(fake);
    ck_assert_str_eq(fake_ask(fake, c, "u"), "0 0 0");
    fake_send_value(fake, MESSAGE_DRAIN, 3600);
    while (strcmp(fake_ask(fake, c, "u"), "1 1 0") != 0)
        ;
    fake_send_value(fake, MESSAGE_STOP, 3600);
    while (strcmp(fake_ask(fake, c, "u"), "2 1 1") != 0)
        ;
    fake_send_value(fake, MESSAGE_DRAIN, 3600);
    fake_send_value(fake, MESSAGE_DEBUG, 7);
    while (strcmp(fake_ask(fake, c, "m"), "7") != 0)
        ;
    ck_assert_str_eq(fake_ask(fake, c, "u"), "2 1 1"); /* no way back */
    fake_hang_up(fake, c);
    expect_clean_end();
    ck_assert(!fake->is_draining);
}
END_TEST

START_TEST(test_stress_comes_and_goes)
{
    start();
    size_t c = fake_connect(fake);
    ck_assert_str_eq(fake_ask(fake, c, "x"), "0 0");
    for (int i = 0; i < 2; i++) {
        fake_send_value(fake, MESSAGE_STRESS, 1);
        fake_send_value(fake, MESSAGE_STRESS, 1);
        while (strcmp(fake_ask(fake, c, "x"), "1 1") != 0)
            ;
        fake_send_value(fake, MESSAGE_STRESS, 0);
        while (strcmp(fake_ask(fake, c, "x"), "0 0") != 0)
            ;
    }
    /* A worker that drains has sessions too. */
    fake_send_value(fake, MESSAGE_DRAIN, 3600);
    fake_send_value(fake, MESSAGE_STRESS, 1);
    while (strcmp(fake_ask(fake, c, "x"), "1 1") != 0)
        ;
    fake_hang_up(fake, c);
    expect_clean_end();
}
END_TEST

START_TEST(test_a_stop_is_an_order_to_drain)
{
    start();
    ck_assert_str_eq(fake_ask(fake, fake_connect(fake), "d"), "0");
    fake_send_value(fake, MESSAGE_STOP, 1);
    fake_connect(fake);
    FAKE_WAIT(fake->n_refused == 1);
    expect_cut();
}
END_TEST

START_TEST(test_sigterm_is_a_stop_and_the_end_of_the_channel_is_none)
{
    start();
    size_t c = fake_connect(fake);
    FAKE_WAIT(fake->n_acknowledged == 1);
    kill(fake->worker, SIGTERM);
    FAKE_WAIT(fake->is_draining);
    ck_assert_str_eq(fake_ask(fake, c, "u"), "2 1 1");
    fake_hang_up(fake, c);
    expect_clean_end();
    start();
    c = fake_connect(fake);
    FAKE_WAIT(fake->n_acknowledged == 1);
    fake_close_channel(fake);
    while (strcmp(fake_ask(fake, c, "u"), "1 1 0") != 0)
        ;
    fake_hang_up(fake, c);
    expect_clean_end();
}
END_TEST

START_TEST(test_a_second_sigterm_ends_it_at_once)
{
    start();
    ck_assert_str_eq(fake_ask(fake, fake_connect(fake), "d"), "0");
    kill(fake->worker, SIGTERM);
    FAKE_WAIT(fake->is_draining);
    kill(fake->worker, SIGTERM);
    int status = fake_wait_end(fake);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    ck_assert_ptr_nonnull(strstr(fake_text_of(fake->errors), "closing 1 session\n"));
}
END_TEST

START_TEST(test_a_first_sigterm_is_no_second_one_for_a_drain_under_way)
{
    start();
    size_t c = fake_connect(fake);
    fake_send_value(fake, MESSAGE_DRAIN, 3600);
    fake_connect(fake);
    FAKE_WAIT(fake->n_refused == 1);
    kill(fake->worker, SIGTERM);
    /* Signals come before messages: when the mask is new, the signal has been seen. */
    fake_send_value(fake, MESSAGE_DEBUG, 7);
    while (strcmp(fake_ask(fake, c, "m"), "7") != 0)
        ;
    fake_hang_up(fake, c);
    expect_clean_end();
}
END_TEST

START_TEST(test_the_order_to_drain_brings_its_limit)
{
    start();
    ck_assert_str_eq(fake_ask(fake, fake_connect(fake), "d"), "0");
    fake_send_value(fake, MESSAGE_DRAIN, 1);
    expect_cut();
}
END_TEST

START_TEST(test_an_end_without_order_has_the_limit_of_the_welcome)
{
    start_limited("0");
    ck_assert_str_eq(fake_ask(fake, fake_connect(fake), "d"), "0");
    fake_close_channel(fake);
    expect_cut();
    start_limited("0");
    ck_assert_str_eq(fake_ask(fake, fake_connect(fake), "d"), "0");
    kill(fake->worker, SIGTERM);
    expect_cut();
}
END_TEST

START_TEST(test_a_limit_only_gets_shorter)
{
    start();
    ck_assert_str_eq(fake_ask(fake, fake_connect(fake), "d"), "0");
    fake_send_value(fake, MESSAGE_DRAIN, 1);
    fake_send_value(fake, MESSAGE_DRAIN, 3600);
    expect_cut();
}
END_TEST

START_TEST(test_a_message_that_is_none_ends_the_channel)
{
    static const struct {
        const char *bytes;
        size_t length;
        size_t n_fds;
    } cases[] = {
        {"hello", 5, 0},                   /* no header */
        {"\x63\0\0\0\0\0\0\0", 8, 0},      /* no type */
        {"\x01\0\0\0\0\0\0\0", 8, 0},      /* a type of the other direction */
        {"\x41\0\0\0\0\0\0\0A=1", 12, 0},  /* a second welcome */
        {"\x43\0\0\0\0\0\0\0more", 12, 0}, /* too long */
        {"\x42\0\0\0\x01\0\0\0", 8, 1},    /* cut */
        {"\x42\0\0\0\0\0\0\0", 8, 1},      /* a descriptor too many */
        {"\x43\0\0\0\0\0\0\0", 8, 1},      /* a descriptor where none belongs */
        {"\x43\0\0\0\0\0\0\0", 8, 16},
    };
    int fds[MESSAGE_FDS_MAX];

    for (size_t i = 0; i < MESSAGE_FDS_MAX; i++)
        fds[i] = STDERR_FILENO;
    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        start();
        size_t c = fake_connect(fake);
        fake_send_packet(fake, cases[i].bytes, cases[i].length, fds, cases[i].n_fds);
        FAKE_WAIT(fake->is_at_end);
        ck_assert_uint_eq(fake->n_acknowledged, 1);
        ck_assert_str_eq(fake_ask(fake, c, "d"), "1"); /* no session suffers */
        fake_hang_up(fake, c);
        ck_assert_int_eq(fake_wait_end(fake), 0);
        ck_assert_ptr_nonnull(strstr(fake_text_of(fake->errors), "an invalid message"));
        fd_close(fake->channel);
    }
}
END_TEST

START_TEST(test_serves_nothing_for_a_dispatcher_that_gave_it_up)
{
    start();
    fake_freeze(fake);
    for (size_t i = 0; i < 20; i++)
        ck_assert_int_eq(write(fake->connections[fake_connect(fake)].client, "d", 1), 1);
    /* This is how dispatcherd gives a worker up; then fake_read() closes the ring. */
    ck_assert_int_eq(shutdown(fake->channel, SHUT_RDWR), 0);
    FAKE_WAIT(fake->is_at_end);
    ck_assert_uint_eq(fake->n_acknowledged, 0);
    kill(fake->worker, SIGCONT);
    expect_clean_end();
    for (size_t i = 0; i < 20; i++)
        ck_assert(!fake_client_has_news(fake, i));
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("draining");

    ADD_TESTS(suite, "draining", test_an_idle_worker_ends_when_told,
              test_sessions_go_on_while_it_drains, test_sessions_go_on_after_the_end_of_the_channel,
              test_sigterm_drains_and_says_so, test_a_second_sigterm_ends_it_at_once,
              test_a_first_sigterm_is_no_second_one_for_a_drain_under_way,
              test_tells_a_stop_from_a_recycling, test_stress_comes_and_goes,
              test_a_stop_is_an_order_to_drain,
              test_sigterm_is_a_stop_and_the_end_of_the_channel_is_none);
    ADD_TESTS(suite, "limits", test_the_order_to_drain_brings_its_limit,
              test_an_end_without_order_has_the_limit_of_the_welcome,
              test_a_limit_only_gets_shorter);
    ADD_TESTS(suite, "faults", test_a_message_that_is_none_ends_the_channel,
              test_serves_nothing_for_a_dispatcher_that_gave_it_up);
    return suite;
}
