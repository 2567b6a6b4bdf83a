/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* From the start of a worker to its readiness. */
#include "support/sanitizer.h"
#include "support/suite.h"

#include "base/fd.h"
#include "libdispatcher/fake_dispatcher.h"
#include "libdispatcher/talkative_worker.h"
#include "protocol/channel.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static struct fake_dispatcher the_fake, *const fake = &the_fake;

static void expect_exit(int code)
{
    int status = fake_wait_end(fake);

    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == code,
                  "wait status %#x instead of exit %d; the worker says: %s", status, code,
                  fake_text_of(fake->errors));
}

START_TEST(test_is_ready_for_as_many_as_the_welcome_says)
{
    struct fake_welcome welcome = fake_welcome_default();

    welcome.max_conns = "50";
    fake_start(fake, &talkative_worker, 10000);
    fake_greet(fake, &welcome);
    ck_assert_uint_eq(fake->n_ready, 50);
    fake_close_channel(fake);
    expect_exit(0);
}
END_TEST

START_TEST(test_tells_the_program_what_the_welcome_says)
{
    struct fake_welcome welcome = fake_welcome_default();

    welcome.parameters[0] = "CHANNEL=tcp_local";
    welcome.parameters[1] = " = odd = ";
    welcome.parameters[2] = "channel=tcp_submit";
    fake_start(fake, &talkative_worker, 10000);
    fake_greet(fake, &welcome);
    size_t c = fake_connect(fake);
    ck_assert_str_eq(fake_ask(fake, c, "w"),
                     "Smtp_Submit 3 10 freddy.example.org 'tcp_submit'"
                     " [CHANNEL=tcp_local] [ = odd = ] [channel=tcp_submit]");
    ck_assert_str_eq(fake_ask(fake, c, "m"), "fffc8fff");
    fake_send_value(fake, MESSAGE_DEBUG, 16);
    FAKE_WAIT(fake->n_acknowledged == 1);
    size_t later = fake_connect(fake); /* behind the new mask in the channel */
    ck_assert_str_eq(fake_ask(fake, later, "m"), "10");
    kill(fake->worker, SIGKILL);
}
END_TEST

START_TEST(test_makes_stacks_of_the_size_asked_for)
{
    struct fake_welcome welcome = fake_welcome_default();

    welcome.stacksize = "1048576";
    fake_start(fake, &talkative_worker, 10000);
    fake_greet(fake, &welcome);
    size_t size = strtoul(fake_ask(fake, fake_connect(fake), "s"), NULL, 10);
    /* Sanitizers take a little for themselves; the system's default is larger by far. */
    ck_assert_uint_ge(size, 1048576);
    ck_assert_uint_lt(size, 2 * 1048576);
    kill(fake->worker, SIGKILL);
}
END_TEST

START_TEST(test_works_on_the_smallest_stack)
{
    struct fake_welcome welcome = fake_welcome_default();

    welcome.stacksize = "1";
    fake_start(fake, &talkative_worker, 10000);
    fake_greet(fake, &welcome);
    size_t c = fake_connect(fake);
    ck_assert_str_eq(fake_ask(fake, c, "d"), "0");
    fake_hang_up(fake, c);
    FAKE_WAIT(fake->n_ended == 1);
    kill(fake->worker, SIGKILL);
}
END_TEST

START_TEST(test_writes_to_the_log_file_of_the_welcome)
{
    struct fake_welcome welcome = fake_welcome_default();

    welcome.log_fd = memfd_create("log", MFD_CLOEXEC);
    fake_start(fake, &talkative_worker, 10000);
    fake_greet(fake, &welcome);
    fake_ask(fake, fake_connect(fake), "p");
    ck_assert_str_eq(fake_text_of(welcome.log_fd), "to stdout\nto stderr\n");
    ck_assert_str_eq(fake_text_of(fake->errors), "");
    kill(fake->worker, SIGKILL);
}
END_TEST

START_TEST(test_logs_to_standard_error_without_a_log_file)
{
    const struct fake_welcome welcome = fake_welcome_default();

    fake_start(fake, &talkative_worker, 10000);
    fake_greet(fake, &welcome);
    fake_ask(fake, fake_connect(fake), "l");
    const char *text = fake_text_of(fake->errors);
    ck_assert_ptr_nonnull(strstr(text, ": warning: Smtp_Submit: of the worker\n"));
    ck_assert_ptr_nonnull(
        strstr(text, ": info: Smtp_Submit: connection fedcba9800000000 from unix: two?lines\n"));
    kill(fake->worker, SIGKILL);
}
END_TEST

/* "2026-01-31T12:34:56.123456+01:00 name[PID]: ". */
static void expect_log_line(const char *text, int pid, const char *end)
{
    char rest[256];
    int its_pid;

    ck_assert_msg(sscanf(text,
                         "%*4[0-9]-%*2[0-9]-%*2[0-9]T%*2[0-9]:%*2[0-9]:%*2[0-9].%*6[0-9]"
                         "%*1[+-]%*2[0-9]:%*2[0-9] %*[^[][%d]: %255[^\n]",
                         &its_pid, rest) == 2,
                  "'%s'", text);
    ck_assert_int_eq(its_pid, pid);
    ck_assert_str_eq(rest, end);
}

START_TEST(test_another_log_file_takes_what_comes_from_then_on)
{
    struct fake_welcome welcome = fake_welcome_default();
    uint8_t bytes[sizeof(struct message_header)];
    size_t length = message_write_value(bytes, sizeof(bytes), MESSAGE_LOG, 0);
    int second = memfd_create("second", MFD_CLOEXEC);

    welcome.log_fd = memfd_create("log", MFD_CLOEXEC);
    fake_start(fake, &talkative_worker, 10000);
    fake_greet(fake, &welcome);
    size_t c = fake_connect(fake);
    fake_ask(fake, c, "l");
    const char *line = fake_text_of(welcome.log_fd);
    expect_log_line(line, fake->worker, "warning: Smtp_Submit: of the worker");
    expect_log_line(strchr(line, '\n') + 1, fake->worker,
                    "info: Smtp_Submit: connection fedcba9800000000 from unix: two?lines");
    fake_send_packet(fake, bytes, length, &second, 1);
    /* What comes behind it on the channel is acted on later. */
    size_t d = fake_connect(fake);
    fake_ask(fake, d, "p");
    ck_assert_str_eq(fake_text_of(second), "to stdout\nto stderr\n");
    ck_assert_str_eq(fake_text_of(fake->errors), "");
    kill(fake->worker, SIGKILL);
}
END_TEST

START_TEST(test_gives_up_on_another_version)
{
    struct fake_welcome welcome = fake_welcome_default();

    welcome.version = "2";
    welcome.log_fd = memfd_create("log", MFD_CLOEXEC);
    fake_start(fake, &talkative_worker, 10000);
    fake_expect_hello(fake);
    fake_send_welcome(fake, &welcome);
    expect_exit(EPROTO);
    ck_assert_ptr_nonnull(strstr(fake_text_of(fake->errors), "version"));
    ck_assert_str_eq(fake_text_of(welcome.log_fd), "");
}
END_TEST

START_TEST(test_gives_up_on_a_welcome_that_is_none)
{
    static const struct fake_welcome cases[] = {
        {"1", "0", "0", "60", {NULL}, -1},          {"1", "1025", "0", "60", {NULL}, -1},
        {"1", "-1", "0", "60", {NULL}, -1},         {"1", "5x", "0", "60", {NULL}, -1},
        {"1", "5", "4294967296", "60", {NULL}, -1}, {"1", "5", "", "60", {NULL}, -1},
        {"x", "5", "0", "60", {NULL}, -1},          {"1", "5", "0", " 60", {NULL}, -1},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        fake_start(fake, &talkative_worker, 10000);
        fake_expect_hello(fake);
        fake_send_welcome(fake, &cases[i]);
        expect_exit(EBADMSG);
    }
}
END_TEST

START_TEST(test_gives_up_on_another_message)
{
    fake_start(fake, &talkative_worker, 10000);
    fake_expect_hello(fake);
    fake_send_value(fake, MESSAGE_DRAIN, 1);
    expect_exit(EBADMSG);
}
END_TEST

START_TEST(test_gives_up_on_a_ring_that_is_none)
{
    static const char welcome[] = "\x41\0\0\0\0\0\0\0VERSION=1\0SLOT=0\0MAX_CONNS=1\0STACKSIZE=0\0"
                                  "DEBUG=0\0DRAIN_LIMIT=1\0SERVICE=a\0HOST_NAME=b\0"
                                  "RING=16";
    const int fds[] = {STDERR_FILENO, STDERR_FILENO};

    fake_start(fake, &talkative_worker, 10000);
    fake_expect_hello(fake);
    ck_assert_int_eq(channel_send(fake->channel, welcome, sizeof(welcome), fds, 2), 0);
    expect_exit(EBADMSG);
}
END_TEST

START_TEST(test_gives_up_when_no_welcome_comes)
{
    fake_start(fake, &talkative_worker, 30);
    fake_expect_hello(fake);
    expect_exit(ETIMEDOUT);
}
END_TEST

START_TEST(test_gives_up_when_the_channel_closes)
{
    fake_start(fake, &talkative_worker, 10000);
    fake_expect_hello(fake);
    fake_close_channel(fake);
    expect_exit(ECONNRESET);
}
END_TEST

START_TEST(test_needs_a_channel)
{
    char *const argv[] = {(char *)"sh", (char *)"-c", (char *)"exec 3<&- \"$0\" \"$1\"",
                          (char *)TEST_BUILD_DIR "/libdispatcher/run_talkative_worker", NULL};

    fake_start_program(fake, argv);
    expect_exit(ENOTCONN);
    ck_assert_ptr_nonnull(strstr(fake_text_of(fake->errors), "started by dispatcherd"));
}
END_TEST

START_TEST(test_ends_on_sigterm_before_the_welcome)
{
    fake_start(fake, &talkative_worker, 10000);
    fake_expect_hello(fake);
    kill(fake->worker, SIGTERM);
    int status = fake_wait_end(fake);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
}
END_TEST

static int fail_to_start(dispatcher_worker *worker, void *userdata)
{
    (void)worker;
    (void)userdata;
    return -EACCES;
}

START_TEST(test_ends_when_the_program_cannot_start)
{
    const struct dispatcher_worker_callbacks callbacks = {
        .start = fail_to_start, .serve = talkative_serve, .stop = talkative_worker.stop};
    struct fake_welcome welcome = fake_welcome_default();

    fake_start(fake, &callbacks, 10000);
    fake_expect_hello(fake);
    fake_send_welcome(fake, &welcome);
    expect_exit(EACCES);
    ck_assert_uint_eq(fake->n_ready, 0);
    ck_assert_str_eq(fake_text_of(fake->errors), ""); /* neither `stop` nor a line of ours */
}
END_TEST

/* Room for four stacks of 16 MiB: one thread more than there are places. */
static int limit_memory(dispatcher_worker *worker, void *userdata)
{
    char line[64] = "";
    FILE *file = fopen("/proc/self/statm", "re");

    (void)worker;
    (void)userdata;
    if (!file || !fgets(line, sizeof(line), file))
        return -EIO;
    fclose(file);
    rlim_t now = strtoul(line, NULL, 10) * (rlim_t)sysconf(_SC_PAGESIZE);
    const struct rlimit limit = {now + (72u << 20), now + (72u << 20)};
    return setrlimit(RLIMIT_AS, &limit) < 0 ? -errno : 0;
}

START_TEST(test_is_ready_for_as_many_as_it_has_threads)
{
    const struct dispatcher_worker_callbacks callbacks = {.start = limit_memory,
                                                          .serve = talkative_serve};
    struct fake_welcome welcome = fake_welcome_default();

    welcome.stacksize = "16777216";
    fake_start(fake, &callbacks, 10000);
    fake_greet(fake, &welcome);
    ck_assert_uint_eq(fake->n_ready, 3);
    size_t c[4];
    for (size_t i = 0; i < 4; i++)
        c[i] = fake_connect(fake);
    FAKE_WAIT(fake->n_acknowledged == 3 && fake->n_refused == 1);
    ck_assert_int_eq(fake->connections[c[3]].state, FAKE_REFUSED);
    kill(fake->worker, SIGKILL);
}
END_TEST

START_TEST(test_ends_when_there_is_no_thread)
{
    const struct dispatcher_worker_callbacks callbacks = {.start = limit_memory,
                                                          .serve = talkative_serve};
    struct fake_welcome welcome = fake_welcome_default();

    welcome.stacksize = "134217728";
    fake_start(fake, &callbacks, 10000);
    fake_expect_hello(fake);
    fake_send_welcome(fake, &welcome);
    expect_exit(EAGAIN);
    ck_assert_ptr_nonnull(strstr(fake_text_of(fake->errors), "thread"));
}
END_TEST

static void serve_nothing(dispatcher_connection *connection, void *userdata)
{
    (void)connection;
    (void)userdata;
}

START_TEST(test_a_program_serves_or_takes)
{
    static const struct dispatcher_worker_callbacks cases[] = {
        {.start = NULL},
        {.serve = serve_nothing, .take = serve_nothing},
    };

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        fake_start(fake, &cases[i], 10000);
        expect_exit(EINVAL);
        ck_assert_ptr_nonnull(
            strstr(fake_text_of(fake->errors), "provide either 'serve' or 'take'"));
    }
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("greeting");

    ADD_TESTS(suite, "welcome", test_is_ready_for_as_many_as_the_welcome_says,
              test_a_program_serves_or_takes, test_tells_the_program_what_the_welcome_says,
              test_makes_stacks_of_the_size_asked_for, test_works_on_the_smallest_stack,
              test_writes_to_the_log_file_of_the_welcome,
              test_logs_to_standard_error_without_a_log_file,
              test_another_log_file_takes_what_comes_from_then_on, test_gives_up_on_another_version,
              test_gives_up_on_a_welcome_that_is_none, test_gives_up_on_another_message,
              test_gives_up_on_a_ring_that_is_none, test_gives_up_when_no_welcome_comes,
              test_gives_up_when_the_channel_closes, test_needs_a_channel,
              test_ends_on_sigterm_before_the_welcome);
    ADD_TESTS(suite, "start", test_ends_when_the_program_cannot_start);
    if (!UNDER_SANITIZER) /* it needs more memory than any limit leaves */
        ADD_TESTS(suite, "threads", test_is_ready_for_as_many_as_it_has_threads,
                  test_ends_when_there_is_no_thread);
    return suite;
}
