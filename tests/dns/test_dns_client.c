/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/suite.h"

#include "base/fd.h"
#include "base/time.h"
#include "dns/dns_client.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

/* Where the first letter of the name asked about stands: after the header and its length. */
#define FIRST_LETTER 13

/* Flags of an answer "no such name", in the third and fourth byte. */
#define IS_ANSWER    0x80
#define NO_SUCH_NAME 3

/* A name server that never answers about names with 's', and lets the first question about others
 * get lost. */
static struct {
    sd_event *event;
    struct dns_client *client;
    int fd;
    unsigned n_silent, n_lost;
    uint64_t asked_at, answered_at;
    struct sockaddr_in late_from; /* who asked last about a name with 'd' */
    uint8_t late[512];
    size_t late_size;
    unsigned n_fast;
} scene;

/* Long after a question to a server that is fast otherwise has been given up by c-ares 1.32 and
 * newer, unless it is told not to. */
#define LATE_USEC (3 * USEC_PER_SEC)

/* Questions whose answers make c-ares believe in a fast server. */
#define N_FAST 20

static void reply(const uint8_t *bytes, size_t size, const struct sockaddr_in *to)
{
    uint8_t answer[512];

    memcpy(answer, bytes, size);
    answer[2] |= IS_ANSWER;
    answer[3] = NO_SUCH_NAME;
    ck_assert_int_eq(sendto(scene.fd, answer, size, 0, (const struct sockaddr *)to, sizeof(*to)),
                     size);
}

static int on_late(_unused_ sd_event_source *source, _unused_ uint64_t usec,
                   _unused_ void *userdata)
{
    reply(scene.late, scene.late_size, &scene.late_from);
    return 0;
}

/* As a resolver that waits for another server: the answer comes late, to whoever repeated the
 * question meanwhile. c-ares 1.34 repeats it from another port, and closes the one before. */
static void take_delayed(const uint8_t *bytes, size_t size, const struct sockaddr_in *from)
{
    bool is_first = scene.late_size == 0;

    memcpy(scene.late, bytes, size);
    scene.late_size = size;
    scene.late_from = *from;
    if (!is_first)
        return;
    ck_assert_int_ge(
        sd_event_add_time_relative(scene.event, NULL, CLOCK_MONOTONIC, LATE_USEC, 0, on_late, NULL),
        0);
}

static void on_fast_end(_unused_ void *userdata, int error, _unused_ const struct dns_fact *fact)
{
    ck_assert_int_eq(error, 0);
    scene.n_fast++;
}

static void on_delayed_end(_unused_ void *userdata, int error, const struct dns_fact *fact)
{
    ck_assert_int_eq(error, 0);
    ck_assert_int_eq(fact->meaning, DNS_ANSWER_CLEAN);
    scene.answered_at = time_now_usec(CLOCK_MONOTONIC);
}

static void on_silent_end(_unused_ void *userdata, int error, _unused_ const struct dns_fact *fact)
{
    ck_assert_int_ne(error, 0);
}

static void on_lost_end(_unused_ void *userdata, int error, const struct dns_fact *fact)
{
    ck_assert_int_eq(error, 0);
    ck_assert_int_eq(fact->meaning, DNS_ANSWER_CLEAN);
    scene.answered_at = time_now_usec(CLOCK_MONOTONIC);
    sd_event_exit(scene.event, 0);
}

/* The second question waits twice as long as the first. */
static void take_silent(void)
{
    if (++scene.n_silent != 2)
        return;
    scene.asked_at = time_now_usec(CLOCK_MONOTONIC);
    dns_client_ask(scene.client, "lost.test", DNS_TYPE_A, on_lost_end, NULL);
}

static int on_question(_unused_ sd_event_source *source, int fd, _unused_ uint32_t events,
                       _unused_ void *userdata)
{
    struct sockaddr_in from;
    socklen_t from_length = sizeof(from);
    uint8_t bytes[512];
    ssize_t n = recvfrom(fd, bytes, sizeof(bytes), 0, (struct sockaddr *)&from, &from_length);

    ck_assert_int_gt(n, FIRST_LETTER);
    if (bytes[FIRST_LETTER] == 'd') {
        take_delayed(bytes, (size_t)n, &from);
    } else if (bytes[FIRST_LETTER] == 'f') {
        reply(bytes, (size_t)n, &from);
    } else if (bytes[FIRST_LETTER] == 's') {
        take_silent();
    } else if (++scene.n_lost == 2) {
        reply(bytes, (size_t)n, &from);
    }
    return 0;
}

static void setup(void)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(in);
    char servers[32];

    scene.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    ck_assert_int_ge(scene.fd, 0);
    ck_assert_int_eq(bind(scene.fd, (struct sockaddr *)&in, length), 0);
    ck_assert_int_eq(getsockname(scene.fd, (struct sockaddr *)&in, &length), 0);
    snprintf(servers, sizeof(servers), "127.0.0.1:%u", ntohs(in.sin_port));
    ck_assert_int_ge(sd_event_new(&scene.event), 0);
    ck_assert_int_ge(sd_event_add_io(scene.event, NULL, scene.fd, EPOLLIN, on_question, NULL), 0);
    ck_assert_int_eq(dns_client_new(scene.event, servers, &scene.client), 0);
}

static void teardown(void)
{
    dns_client_free(scene.client);
    sd_event_unref(scene.event);
    scene.fd = fd_close(scene.fd);
}

/* The timer stands at the end of the older question's second, longer wait. */
START_TEST(test_a_lost_question_is_repeated_in_time_beside_a_silent_list)
{
    dns_client_ask(scene.client, "silent.test", DNS_TYPE_A, on_silent_end, NULL);
    ck_assert_int_eq(sd_event_loop(scene.event), 0);
    ck_assert_uint_eq(scene.n_lost, 2);
    ck_assert_uint_lt(scene.answered_at - scene.asked_at, DNS_CLIENT_LIMIT_USEC / 2);
}
END_TEST

/* A name server that answers fast, for most lists, may have to wait for one of them. */
START_TEST(test_a_slow_answer_of_a_fast_server_is_waited_for)
{
    char name[32];

    for (int i = 0; i < N_FAST; i++) {
        snprintf(name, sizeof(name), "fast%d.test", i);
        dns_client_ask(scene.client, name, DNS_TYPE_A, on_fast_end, NULL);
    }
    while (scene.n_fast < N_FAST)
        ck_assert_int_ge(sd_event_run(scene.event, USEC_INFINITY), 0);
    scene.asked_at = time_now_usec(CLOCK_MONOTONIC);
    dns_client_ask(scene.client, "delayed.test", DNS_TYPE_A, on_delayed_end, NULL);
    while (!scene.answered_at)
        ck_assert_int_ge(sd_event_run(scene.event, USEC_INFINITY), 0);
    ck_assert_uint_ge(scene.answered_at - scene.asked_at, LATE_USEC);
}
END_TEST

SUITE("dns_client", setup, teardown, test_a_lost_question_is_repeated_in_time_beside_a_silent_list,
      test_a_slow_answer_of_a_fast_server_is_waited_for)
