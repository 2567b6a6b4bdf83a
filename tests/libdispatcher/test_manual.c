/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The examples of the manual pages, run as they stand there. */
#include "support/suite.h"

#include "base/macro.h"
#include "libdispatcher/fake_dispatcher.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static struct fake_dispatcher the_fake, *const fake = &the_fake;

static char *const c_example[] = {(char *)TEST_BUILD_DIR "/libdispatcher/example", NULL};
static char *const python_example[] = {(char *)"python3",
                                       (char *)TEST_BUILD_DIR "/libdispatcher/example.py", NULL};

static void start(char *const argv[], const char *greeting)
{
    struct fake_welcome welcome = fake_welcome_default();

    welcome.parameters[0] = greeting;
    fake_start_program(fake, argv);
    fake_greet(fake, &welcome);
    ck_assert_uint_eq(fake->n_ready, 10);
}

static void expect_clean_end(void)
{
    int status = fake_wait_end(fake);

    ck_assert_msg(status == 0, "wait status %#x; the worker says: %s", status,
                  fake_text_of(fake->errors));
}

START_TEST(test_c_example_serves)
{
    start(c_example, "GREETING=Good day");
    size_t c = fake_connect(fake);
    ck_assert_str_eq(fake_ask(fake, c, ""), "Good day, unix");
    ck_assert_str_eq(fake_ask(fake, c, "hello\n"), "hello");
    fake_hang_up(fake, c);
    FAKE_WAIT(fake->n_ended == 1);
    ck_assert_str_eq(fake_text_of(fake->errors),
                     "example: info: Smtp_Submit: connection fedcba9800000000 from unix: done\n");
    fake_send_value(fake, MESSAGE_DRAIN, 60);
    expect_clean_end();
}
END_TEST

START_TEST(test_c_example_ends_an_idle_session_at_a_stop)
{
    start(c_example, "GREETING=Good day");
    size_t c = fake_connect(fake);
    ck_assert_str_eq(fake_ask(fake, c, ""), "Good day, unix");
    fake_send_value(fake, MESSAGE_DRAIN, 60);
    fake_connect(fake);
    FAKE_WAIT(fake->n_refused == 1);
    ck_assert_str_eq(fake_ask(fake, c, "still\n"), "still");
    fake_send_value(fake, MESSAGE_STOP, 60);
    FAKE_WAIT(fake->n_ended == 1);
    expect_clean_end();
}
END_TEST

START_TEST(test_c_example_needs_its_parameter)
{
    struct fake_welcome welcome = fake_welcome_default();

    fake_start_program(fake, c_example);
    fake_expect_hello(fake);
    fake_send_welcome(fake, &welcome);
    int status = fake_wait_end(fake);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 1);
    ck_assert_ptr_nonnull(strstr(fake_text_of(fake->errors), "is missing"));
}
END_TEST

START_TEST(test_python_example_serves)
{
    start(python_example, NULL);
    for (size_t i = 0; i < 10; i++)
        fake_connect_as(fake, (struct connection_record){.peer.family = AF_UNIX}, "a tag", "n");
    for (size_t i = 0; i < 10; i++)
        ck_assert_str_eq(fake_ask(fake, 9 - i, "hello\n"), "hello");
    fake_connect(fake);
    FAKE_WAIT(fake->n_refused == 1);
    for (size_t i = 0; i < 10; i++) {
        fake_hang_up(fake, i);
        FAKE_WAIT(fake->n_ended == i + 1);
        ck_assert_str_eq(fake_ask(fake, fake_connect(fake), "again\n"), "again");
    }
    fake_send_value(fake, MESSAGE_DEBUG, 1);
    fake_send_value(fake, MESSAGE_DRAIN, 60);
    fake_connect(fake);
    FAKE_WAIT(fake->n_refused == 2);
    for (size_t i = 0; i < fake->n_connections; i++)
        if (fake->connections[i].client >= 0)
            fake_hang_up(fake, i);
    expect_clean_end();
    ck_assert_uint_eq(fake->n_ended, 20);
    ck_assert_str_eq(fake_text_of(fake->errors), "");
}
END_TEST

START_TEST(test_python_example_drains_by_sigterm)
{
    start(python_example, NULL);
    size_t c = fake_connect(fake);
    ck_assert_str_eq(fake_ask(fake, c, "hello\n"), "hello");
    kill(fake->worker, SIGTERM);
    FAKE_WAIT(fake->is_draining);
    ck_assert_str_eq(fake_ask(fake, c, "still\n"), "still");
    fake_hang_up(fake, c);
    expect_clean_end();
}
END_TEST

START_TEST(test_python_example_drains_at_the_end_of_the_channel)
{
    start(python_example, NULL);
    size_t c = fake_connect(fake);
    ck_assert_str_eq(fake_ask(fake, c, "hello\n"), "hello");
    fake_close_channel(fake);
    ck_assert_str_eq(fake_ask(fake, c, "still\n"), "still");
    fake_hang_up(fake, c);
    expect_clean_end();
}
END_TEST

START_TEST(test_python_example_leaves_alone_what_was_given_to_another)
{
    start(python_example, NULL);
    fake_freeze(fake);
    size_t c = fake_connect(fake);
    ck_assert_int_eq(write(fake->connections[c].client, "hello\n", 6), 6);
    ck_assert_int_eq(shutdown(fake->channel, SHUT_RDWR), 0);
    FAKE_WAIT(fake->is_at_end);
    kill(fake->worker, SIGCONT);
    expect_clean_end();
    ck_assert(!fake_client_has_news(fake, c));
}
END_TEST

START_TEST(test_python_example_ends_at_its_limit)
{
    start(python_example, NULL);
    ck_assert_str_eq(fake_ask(fake, fake_connect(fake), "hello\n"), "hello");
    fake_send_value(fake, MESSAGE_DRAIN, 1);
    int status = fake_wait_end(fake);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM);
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("manual");

    ADD_TESTS(suite, "dispatcher-worker(3)", test_c_example_serves,
              test_c_example_ends_an_idle_session_at_a_stop, test_c_example_needs_its_parameter);
    if (system("command -v python3 >/dev/null") == 0)
        ADD_TESTS(suite, "dispatcher-worker(7)", test_python_example_serves,
                  test_python_example_drains_by_sigterm,
                  test_python_example_drains_at_the_end_of_the_channel,
                  test_python_example_leaves_alone_what_was_given_to_another,
                  test_python_example_ends_at_its_limit);
    return suite;
}
