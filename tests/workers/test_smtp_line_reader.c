/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/suite.h"

#include "base/macro.h"
#include "base/time.h"
#include "workers/tcp_smtp_server/line_reader.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

/* Gives its bytes a few at a time. */
struct source {
    const char *bytes;
    size_t n_left, at_a_time;
};

static ssize_t source_receive(void *userdata, void *buffer, size_t size,
                              struct deadline deadline _unused_)
{
    struct source *source = userdata;
    size_t n = source->at_a_time < source->n_left ? source->at_a_time : source->n_left;

    n = n < size ? n : size;
    memcpy(buffer, source->bytes, n);
    source->bytes += n;
    source->n_left -= n;
    return (ssize_t)n;
}

static enum line_status next(struct line_reader *reader, size_t max, char **line)
{
    enum line_status status;
    size_t length;

    while ((status = line_reader_take_line(reader, max, line, &length)) == LINE_INCOMPLETE)
        if (line_reader_fill(reader, (struct deadline){0}) <= 0)
            break;
    if (status == LINE_COMPLETE)
        ck_assert_uint_eq(strlen(*line), length);
    return status;
}

START_TEST(test_takes_lines_however_they_arrive)
{
    static const char text[] = "one\r\n\r\ntwo words\r\n12345678\r\n123456789\r\nthree\r\nfo";

    for (size_t at_a_time = 1; at_a_time < sizeof(text); at_a_time++) {
        struct source source = {text, strlen(text), at_a_time};
        const struct transport transport = {.receive = source_receive, .userdata = &source};
        struct line_reader *reader = malloc(sizeof(*reader));
        char *line;

        line_reader_init(reader, &transport);
        ck_assert_int_eq(next(reader, 11, &line), LINE_COMPLETE);
        ck_assert_str_eq(line, "one");
        ck_assert_int_eq(next(reader, 11, &line), LINE_COMPLETE);
        ck_assert_str_eq(line, "");
        ck_assert_int_eq(next(reader, 11, &line), LINE_COMPLETE);
        ck_assert_str_eq(line, "two words");
        /* The limit counts CRLF. */
        ck_assert_int_eq(next(reader, 10, &line), LINE_COMPLETE);
        ck_assert_str_eq(line, "12345678");
        ck_assert_int_eq(next(reader, 10, &line), LINE_TOO_LONG);
        ck_assert_int_eq(next(reader, 10, &line), LINE_COMPLETE);
        ck_assert_str_eq(line, "three");
        ck_assert_int_eq(next(reader, 10, &line), LINE_INCOMPLETE);
        free(reader);
    }
}
END_TEST

START_TEST(test_refuses_lines_that_others_may_read_differently)
{
    static const struct {
        const char *bytes;
        size_t n;
    } cases[] = {{"a\n", 2}, {"\n", 1}, {"a\rb\r\n", 5}, {"a\r\r\n", 4}, {"a\0b\r\n", 5}};

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        struct source source = {cases[i].bytes, cases[i].n, 100};
        const struct transport transport = {.receive = source_receive, .userdata = &source};
        struct line_reader reader;
        char *line;

        line_reader_init(&reader, &transport);
        ck_assert_msg(next(&reader, 512, &line) == LINE_MALFORMED, "case %zu", i);
    }
}
END_TEST

START_TEST(test_gives_up_on_a_line_without_end)
{
    char *flood = malloc(1 << 20);
    struct source source = {flood, 1 << 20, 5000};
    const struct transport transport = {.receive = source_receive, .userdata = &source};
    struct line_reader reader;
    char *line;

    memset(flood, 'x', 1 << 20);
    line_reader_init(&reader, &transport);
    ck_assert_int_eq(next(&reader, 512, &line), LINE_MALFORMED);
    ck_assert_uint_gt(source.n_left, 0);
    free(flood);
}
END_TEST

START_TEST(test_data_follows_lines)
{
    static const char text[] = "DATA\r\nthe message";
    struct source source = {text, strlen(text), 100};
    const struct transport transport = {.receive = source_receive, .userdata = &source};
    struct line_reader reader;
    size_t n_bytes;
    char *line;

    line_reader_init(&reader, &transport);
    ck_assert_int_eq(next(&reader, 512, &line), LINE_COMPLETE);
    ck_assert(line_reader_has_input(&reader));
    char *bytes = line_reader_bytes(&reader, &n_bytes);
    ck_assert_uint_eq(n_bytes, strlen("the message"));
    ck_assert(memcmp(bytes, "the message", n_bytes) == 0);
    line_reader_consume(&reader, 4);
    bytes = line_reader_bytes(&reader, &n_bytes);
    ck_assert(memcmp(bytes, "message", n_bytes) == 0);
}
END_TEST

static struct deadline until(uint64_t usec)
{
    return (struct deadline){.usual = usec, .stressed = usec};
}

START_TEST(test_socket_waits_until_the_deadline)
{
    int fds[2];
    char byte;

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    struct transport_socket ours = {.fd = fds[0], .stress_fd = -1};
    const struct transport transport = transport_over_socket(&ours);
    uint64_t start = time_now_usec(CLOCK_MONOTONIC);
    ck_assert_int_eq(transport.receive(&ours, &byte, 1, until(start + 50 * USEC_PER_MSEC)),
                     -ETIMEDOUT);
    ck_assert_uint_ge(time_now_usec(CLOCK_MONOTONIC), start + 50 * USEC_PER_MSEC);
    ck_assert(!transport.has_input(&ours));
    ck_assert_int_eq(write(fds[1], "x", 1), 1);
    ck_assert(transport.has_input(&ours));
    /* A client that floods us is stopped by the deadline too. */
    ck_assert_int_eq(transport.receive(&ours, &byte, 1, until(0)), -ETIMEDOUT);
    ck_assert_int_eq(transport.receive(&ours, &byte, 1, until(USEC_INFINITY)), 1);
    close(fds[1]);
    ck_assert(!transport.has_input(&ours));
    ck_assert_int_eq(transport.receive(&ours, &byte, 1, until(USEC_INFINITY)), 0);
    ck_assert_int_eq(transport.send(&ours, "x", 1, 0), -EPIPE);
    close(fds[0]);
}
END_TEST

/* Ends the stress that it was given, after a while. */
static void *end_stress(void *userdata)
{
    eventfd_t count;

    usleep(20000);
    (void)eventfd_read(*(int *)userdata, &count);
    return NULL;
}

static void *begin_stress(void *userdata)
{
    usleep(20000);
    (void)eventfd_write(*(int *)userdata, 1);
    return NULL;
}

START_TEST(test_socket_waits_for_less_under_stress)
{
    int fds[2];
    char byte;
    pthread_t thread;

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    struct transport_socket ours = {.fd = fds[0], .stress_fd = eventfd(0, EFD_NONBLOCK)};
    const struct transport transport = transport_over_socket(&ours);
    uint64_t start = time_now_usec(CLOCK_MONOTONIC);
    struct deadline deadline = {.usual = start + 60 * USEC_PER_SEC,
                                .stressed = start + 100 * USEC_PER_MSEC};

    /* It begins while somebody waits: what was waited counts. */
    ck_assert_int_eq(pthread_create(&thread, NULL, begin_stress, &ours.stress_fd), 0);
    ck_assert_int_eq(transport.receive(&ours, &byte, 1, deadline), -ETIMEDOUT);
    ck_assert_uint_ge(time_now_usec(CLOCK_MONOTONIC), deadline.stressed);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert_int_eq(transport.wait(&ours, -1, deadline), -ETIMEDOUT);
    /* What is there in time is taken. */
    ck_assert_int_eq(write(fds[1], "x", 1), 1);
    deadline.stressed = time_now_usec(CLOCK_MONOTONIC) + 60 * USEC_PER_SEC;
    ck_assert_int_eq(transport.wait(&ours, -1, deadline), 0);
    ck_assert_int_eq(transport.receive(&ours, &byte, 1, deadline), 1);
    /* It ends while somebody waits: the usual deadline counts again. */
    start = time_now_usec(CLOCK_MONOTONIC);
    deadline.stressed = start + 2 * USEC_PER_SEC;
    deadline.usual = start + 2200 * USEC_PER_MSEC;
    ck_assert_int_eq(pthread_create(&thread, NULL, end_stress, &ours.stress_fd), 0);
    ck_assert_int_eq(transport.receive(&ours, &byte, 1, deadline), -ETIMEDOUT);
    ck_assert_uint_ge(time_now_usec(CLOCK_MONOTONIC), deadline.usual);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    close(ours.stress_fd);
    close(fds[0]);
    close(fds[1]);
}
END_TEST

START_TEST(test_socket_does_not_wait_for_ever_for_a_client_that_reads_nothing)
{
    static const char block[65536];
    int fds[2], r;

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    struct transport_socket ours = {.fd = fds[0], .stress_fd = -1};
    const struct transport transport = transport_over_socket(&ours);
    do
        r = transport.send(&ours, block, sizeof(block),
                           time_now_usec(CLOCK_MONOTONIC) + 20 * USEC_PER_MSEC);
    while (r == 0);
    ck_assert_int_eq(r, -ETIMEDOUT);
    close(fds[0]);
    close(fds[1]);
}
END_TEST

SUITE("smtp_line_reader", NULL, NULL, test_takes_lines_however_they_arrive,
      test_refuses_lines_that_others_may_read_differently, test_gives_up_on_a_line_without_end,
      test_data_follows_lines, test_socket_waits_until_the_deadline,
      test_socket_waits_for_less_under_stress,
      test_socket_does_not_wait_for_ever_for_a_client_that_reads_nothing)
