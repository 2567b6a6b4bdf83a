/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* When a worker sends a packet because of what it has written to its ring, and when it does not. */
#include "support/sanitizer.h"
#include "support/suite.h"

#include "base/fd.h"
#include "base/time.h"
#include "libdispatcher/fake_dispatcher.h"
#include "libdispatcher/internal.h"
#include "libdispatcher/news.h"
#include "libdispatcher/talkative_worker.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* The rules, without a worker. */

static struct ring_reader reader;
static struct news news;

static void setup(void)
{
    struct ring_writer ring;
    int fd;

    news_free(&news);
    news_init(&news);
    ring_reader_free(&reader);
    ck_assert_int_eq(ring_reader_open(&reader, 10, &fd), 0);
    ck_assert_int_eq(ring_writer_open(&ring, fd, reader.n_entries, 10), 0);
    news_use_ring(&news, &ring);
    fd_close(fd);
}

static void read_all(void)
{
    for (int n = ring_pending(&reader); n > 0; n--)
        (void)ring_take(&reader);
    ring_confirm(&reader);
}

static uint64_t acknowledge(uint64_t id, enum news_next expected)
{
    enum news_next next;
    uint64_t at;

    ck_assert_int_eq(news_acknowledge(&news, &id, 1, &at, &next), 0);
    ck_assert_int_eq(next, expected);
    return at;
}

START_TEST(test_an_acknowledgement_is_told_where_dispatcherd_waits)
{
    setup();
    acknowledge(1, NEWS_DONE);
    ring_want(&reader, RING_WANTS_ANSWERS | RING_WANTS_ENDS);
    acknowledge(2, NEWS_SEND);
    acknowledge(3, NEWS_DONE); /* one is under way */
    ring_heard(&reader);
    acknowledge(4, NEWS_SEND);
    ring_heard(&reader);
    ring_want(&reader, 0);
    acknowledge(5, NEWS_DONE);
}
END_TEST

/* A successor of dispatcherd is told, since the ring ends with the predecessor. */
START_TEST(test_what_was_put_off_and_not_read_is_remembered)
{
    uint64_t ids[2];

    setup();
    ck_assert_uint_eq(news_unread_put_off(&news, ids, 2), 0);
    news_tell(&news, MESSAGE_PUT_OFF, 1);
    read_all();
    ck_assert_uint_eq(news_unread_put_off(&news, ids, 2), 0);
    acknowledge(2, NEWS_DONE);
    news_tell(&news, MESSAGE_PUT_OFF, 3);
    news_tell(&news, MESSAGE_REFUSE, 4);
    news_tell(&news, MESSAGE_PUT_OFF, 5);
    ck_assert_uint_eq(news_unread_put_off(&news, ids, 2), 2);
    ck_assert_uint_eq(ids[0], 3);
    ck_assert_uint_eq(ids[1], 4);
}
END_TEST

START_TEST(test_an_end_is_told_at_once_where_a_client_would_wait_for_it)
{
    setup();
    uint64_t at = acknowledge(1, NEWS_DONE);
    ck_assert_int_eq(news_end(&news, MESSAGE_ENDED, 1, at, false), NEWS_SEND);
}
END_TEST

START_TEST(test_an_end_may_wait_where_dispatcherd_has_read_what_came_before)
{
    setup();
    uint64_t at = acknowledge(1, NEWS_DONE);
    read_all();
    ck_assert_int_eq(news_end(&news, MESSAGE_ENDED, 1, at, false), NEWS_LATER);
    ck_assert_int_eq(news_remind(&news), NEWS_SEND);
    read_all();
    ring_heard(&reader);
    ck_assert_int_eq(news_remind(&news), NEWS_DONE);
}
END_TEST

START_TEST(test_an_end_needs_no_packet_where_dispatcherd_will_look)
{
    setup();
    uint64_t at = acknowledge(1, NEWS_DONE);
    read_all();
    acknowledge(2, NEWS_DONE);
    ck_assert_int_eq(news_end(&news, MESSAGE_ENDED, 1, at, false), NEWS_DONE);
    ck_assert_int_eq(news_remind(&news), NEWS_DONE);
    read_all();
    ck_assert_int_eq(news_remind(&news), NEWS_DONE);
}
END_TEST

START_TEST(test_an_end_is_told_at_once_where_it_is_waited_for)
{
    setup();
    uint64_t at = acknowledge(1, NEWS_DONE);
    read_all();
    ck_assert_int_eq(news_end(&news, MESSAGE_ENDED, 1, at, true), NEWS_SEND);
    ring_heard(&reader);
    ring_want(&reader, RING_WANTS_ANSWERS | RING_WANTS_ENDS);
    ck_assert_int_eq(news_end(&news, MESSAGE_ENDED, 2, at, false), NEWS_SEND);
}
END_TEST

START_TEST(test_refusals_and_draining_are_told_at_once)
{
    setup();
    ck_assert_int_eq(news_tell(&news, MESSAGE_DRAINING, 0), NEWS_SEND);
    ck_assert_int_eq(news_tell(&news, MESSAGE_REFUSE, 1), NEWS_DONE);
    ring_heard(&reader);
    ck_assert_int_eq(news_tell(&news, MESSAGE_REFUSE, 2), NEWS_SEND);
}
END_TEST

START_TEST(test_tells_nothing_in_a_closed_ring)
{
    enum news_next next;
    uint64_t at, id = 2;

    setup();
    uint64_t before = acknowledge(1, NEWS_DONE);
    ck_assert_int_eq(ring_close(&reader), 1);
    ck_assert_int_eq(news_acknowledge(&news, &id, 1, &at, &next), -EPIPE);
    ck_assert_int_eq(news_end(&news, MESSAGE_ENDED, 1, before, true), NEWS_DONE);
    ck_assert_int_eq(news_tell(&news, MESSAGE_DRAINING, 0), NEWS_DONE);
}
END_TEST

START_TEST(test_a_packet_that_was_not_sent_may_be_sent_again)
{
    const int least = 1;
    int pair[2];

    setup();
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    ck_assert_int_eq(setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &least, sizeof(least)), 0);
    ck_assert_int_eq(news_tell(&news, MESSAGE_REFUSE, 1), NEWS_SEND);
    while (news_send(&news, pair[0]))
        ;
    ck_assert_int_eq(news_remind(&news), NEWS_SEND);
    fd_close(pair[1]);
    ck_assert(news_send(&news, pair[0])); /* there is nobody to be told */
    ck_assert_int_eq(news_remind(&news), NEWS_DONE);
    fd_close(pair[0]);
}
END_TEST

/* A worker at work. */

static struct fake_dispatcher the_fake, *const fake = &the_fake;

static void start(void)
{
    struct fake_welcome welcome = fake_welcome_default();

    welcome.max_conns = "50";
    fake_start(fake, &WORKER_UNDER_TEST, 10000);
    fake_greet(fake, &welcome);
    fake->n_packets = 0;
}

static void expect_clean_end(void)
{
    fake_send_value(fake, MESSAGE_DRAIN, 60);
    ck_assert_int_eq(fake_wait_end(fake), 0);
}

static void wait_until_poked(void)
{
    struct pollfd pollfd = {.fd = fake->channel, .events = POLLIN};

    ck_assert_int_eq(poll(&pollfd, 1, FAKE_LIMIT_MSEC), 1);
}

/* Without taking them. */
static void wait_until_published(int n)
{
    uint64_t end = time_now_usec(CLOCK_MONOTONIC) + FAKE_LIMIT_MSEC * USEC_PER_MSEC;

    while (ring_pending(&fake->ring) < n) {
        ck_assert_msg(time_now_usec(CLOCK_MONOTONIC) < end, "%d of %d were published",
                      ring_pending(&fake->ring), n);
        (void)usleep(1000);
    }
}

START_TEST(test_a_session_begins_without_a_packet)
{
    start();
    size_t c = fake_connect(fake);
    ck_assert_str_eq(fake_ask(fake, c, "d"), "0");
    ck_assert(!fake_is_poked(fake));
    fake_look(fake);
    ck_assert_uint_eq(fake->n_acknowledged, 1);
    fake_hang_up(fake, c);
    wait_until_poked();
    fake_look(fake);
    ck_assert_uint_eq(fake->n_ended, 1);
    expect_clean_end();
}
END_TEST

/* Our copy would keep the client waiting. */
START_TEST(test_a_session_that_ends_before_we_look_is_told)
{
    start();
    size_t c = fake_connect(fake);
    ck_assert_int_eq(write(fake->connections[c].client, "q", 1), 1);
    wait_until_poked();
    fake_look(fake);
    ck_assert_uint_eq(fake->n_ended, 1);
    ck_assert_uint_eq(fake->n_packets, 1);
    ck_assert(fake_client_has_news(fake, c));
    expect_clean_end();
}
END_TEST

/* A teller waits for its whole time, and then tells what is not yet read, however new that is: so
 * many packets there may be, and no more. */
START_TEST(test_to_one_who_looks_next_to_nothing_is_told)
{
    uint64_t began_at = time_now_usec(CLOCK_MONOTONIC);

    start();
    for (size_t i = 0; i < 1000; i++) {
        size_t c = fake_connect(fake);

        ck_assert_str_eq(fake_ask(fake, c, "d"), "0");
        fake_look(fake);
        ck_assert_uint_eq(fake->n_acknowledged, i + 1);
        fake_hang_up(fake, c);
    }
    FAKE_WAIT(fake->n_ended == 1000);
    uint64_t lasted = time_now_usec(CLOCK_MONOTONIC) - began_at;
    ck_assert_uint_le(fake->n_packets, lasted / (ENDED_DELAY_MSEC * USEC_PER_MSEC) + 1);
    expect_clean_end();
}
END_TEST

START_TEST(test_one_who_never_looks_is_told_once_and_finds_all)
{
    start();
    for (size_t c = 0; c < 50; c++) {
        fake_connect(fake);
        ck_assert_int_eq(write(fake->connections[c].client, "q", 1), 1);
    }
    wait_until_published(100);
    wait_until_poked();
    FAKE_WAIT(fake->n_packets == 1);
    ck_assert_uint_eq(fake->n_ended, 50);
    ck_assert_uint_eq(fake->n_refused, 0);
    ck_assert(!fake_is_poked(fake));
    expect_clean_end();
}
END_TEST

START_TEST(test_a_draining_worker_says_so_to_a_new_dispatcher)
{
    start();
    size_t c = fake_connect(fake);
    ck_assert_str_eq(fake_ask(fake, c, "d"), "0");
    kill(fake->worker, SIGTERM);
    FAKE_WAIT(fake->is_draining);
    fake_adopt(fake);
    FAKE_WAIT(!fake->is_adopting && fake->is_draining);
    size_t late = fake_connect(fake);
    FAKE_WAIT(fake->connections[late].state == FAKE_REFUSED);
    fake_hang_up(fake, c);
    ck_assert_int_eq(fake_wait_end(fake), 0);
    ck_assert_uint_eq(fake->n_ended, 1);
}
END_TEST

START_TEST(test_a_question_without_a_ring_is_no_message)
{
    static const char adopt[] = "\x45\0\0\0\0\0\0\0VERSION=1";

    start();
    fake_send_packet(fake, adopt, sizeof(adopt), NULL, 0);
    FAKE_WAIT(fake->is_at_end);
    ck_assert_int_eq(fake_wait_end(fake), 0);
    ck_assert_ptr_nonnull(strstr(fake_text_of(fake->errors), "an invalid message"));
}
END_TEST

/* It cannot map the new ring. */
START_TEST(test_a_question_that_cannot_be_answered_is_reported)
{
    const struct rlimit none = {1, 1};

    start();
    ck_assert_int_eq(prlimit(fake->worker, RLIMIT_AS, &none, NULL), 0);
    fake_adopt(fake);
    FAKE_WAIT(fake->is_at_end);
    ck_assert_int_eq(fake_wait_end(fake), 0);
    ck_assert_ptr_nonnull(
        strstr(fake_text_of(fake->errors),
               "cannot carry out an order of dispatcherd: Cannot allocate memory; "
               "this worker takes no more connections, and exits after its "
               "sessions\n"));
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("news");

    ADD_TESTS(suite, "rules", test_an_acknowledgement_is_told_where_dispatcherd_waits,
              test_what_was_put_off_and_not_read_is_remembered,
              test_an_end_is_told_at_once_where_a_client_would_wait_for_it,
              test_an_end_may_wait_where_dispatcherd_has_read_what_came_before,
              test_an_end_needs_no_packet_where_dispatcherd_will_look,
              test_an_end_is_told_at_once_where_it_is_waited_for,
              test_refusals_and_draining_are_told_at_once, test_tells_nothing_in_a_closed_ring,
              test_a_packet_that_was_not_sent_may_be_sent_again);
    ADD_TESTS(suite, "worker", test_a_session_begins_without_a_packet,
              test_a_session_that_ends_before_we_look_is_told,
              test_to_one_who_looks_next_to_nothing_is_told,
              test_one_who_never_looks_is_told_once_and_finds_all,
              test_a_draining_worker_says_so_to_a_new_dispatcher,
              test_a_question_without_a_ring_is_no_message);
    if (!UNDER_SANITIZER) /* it needs more memory than any limit leaves */
        ADD_TESTS(suite, "memory", test_a_question_that_cannot_be_answered_is_reported);
    return suite;
}
