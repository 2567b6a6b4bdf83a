/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "support/suite.h"

#include "base/macro.h"
#include "workers/common/way.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A way between two pairs of sockets: what is written to `source` comes out of `sink`. */
struct fixture {
    int source, sink;
    struct end from, to;
    struct way way;
    struct way_tools tools;
};

static struct fixture *make(void)
{
    struct fixture *f = calloc(1, sizeof(*f));
    int a[2], b[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, a), 0);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, b), 0);
    f->source = a[0];
    f->from = (struct end){.fd = a[1], .can_read = true};
    f->to = (struct end){.fd = b[0], .can_write = true};
    f->sink = b[1];
    f->way = (struct way)WAY_INIT;
    return f;
}

static void finish(struct fixture *f)
{
    way_clear(&f->way, &f->tools);
    ck_assert_int_eq(f->way.pipe.read_fd, -1);
    pipes_clear(&f->tools.pipes);
    ck_assert_uint_eq(f->tools.pipes.n_open, 0);
    close(f->from.fd);
    close(f->to.fd);
    if (f->source >= 0)
        close(f->source);
    if (f->sink >= 0)
        close(f->sink);
    free(f);
}

static enum way_result move(struct fixture *f)
{
    return way_move(&f->way, &f->from, &f->to, &f->tools);
}

START_TEST(test_at_rest_it_holds_nothing)
{
    struct fixture *f = make();
    char text[8];

    ck_assert_int_eq(send(f->source, "hello", 5, 0), 5);
    ck_assert_int_eq(move(f), WAY_WAITS);
    ck_assert_int_eq(recv(f->sink, text, sizeof(text), 0), 5);
    ck_assert_ptr_null(f->way.rest);
    ck_assert_int_eq(f->way.pipe.read_fd, -1);
    ck_assert_uint_eq(f->tools.n_moved, 5);
    finish(f);
}
END_TEST

/* Sends `total` bytes in pieces, and compares; the flags are those of an epoll that is edge
 * triggered. */
static void stream(struct fixture *f, size_t total)
{
    static char piece[50000], got[70000];
    size_t n_sent = 0, n_received = 0, n_wrong = 0;

    while (n_received < total) {
        for (size_t i = 0; i < sizeof(piece); i++)
            piece[i] = (char)((n_sent + i) % 251);
        size_t n_left = total - n_sent;
        ssize_t n =
            send(f->source, piece, n_left < sizeof(piece) ? n_left : sizeof(piece), MSG_DONTWAIT);
        n_sent += n > 0 ? (size_t)n : 0;
        f->from.can_read = true;
        while (move(f) == WAY_HAS_MORE)
            ;
        while ((n = recv(f->sink, got, sizeof(got), MSG_DONTWAIT)) > 0)
            for (ssize_t i = 0; i < n; i++, n_received++)
                n_wrong += got[i] != (char)(n_received % 251);
        f->to.can_write = true;
    }
    ck_assert_uint_eq(n_received, n_sent);
    ck_assert_uint_eq(n_wrong, 0);
}

START_TEST(test_a_stream_arrives_whole_by_a_pipe_that_goes)
{
    struct fixture *f = make();

    stream(f, 10000000);
    f->from.can_read = true;
    while (move(f) == WAY_HAS_MORE)
        ;
    ck_assert_uint_eq(f->way.n_held, 0);
    ck_assert_int_eq(f->way.pipe.read_fd, -1);
    ck_assert_uint_gt(f->tools.pipes.n_idle, 0);
    finish(f);
}
END_TEST

START_TEST(test_a_stream_arrives_whole_without_splice)
{
    struct fixture *f = make();

    f->tools.cannot_splice = true;
    stream(f, 10000000);
    ck_assert_uint_eq(f->tools.pipes.n_open, 0);
    finish(f);
}
END_TEST

START_TEST(test_a_stream_arrives_whole_when_there_are_no_more_pipes)
{
    struct fixture *f = make();

    f->tools.pipes.n_open = PIPES_MAX;
    stream(f, 10000000);
    f->tools.pipes.n_open = 0;
    finish(f);
}
END_TEST

START_TEST(test_nothing_more_is_read_than_the_receiver_takes)
{
    struct fixture *f = make();
    static char block[65536];
    size_t n = 0;

    for (int idle = 0; idle < 3; idle++) {
        ssize_t r = send(f->source, block, sizeof(block), MSG_DONTWAIT);

        if (r > 0) {
            n += (size_t)r;
            idle = 0;
        }
        f->from.can_read = true;
        while (move(f) == WAY_HAS_MORE)
            ;
        ck_assert_uint_lt(n, 10000000);
    }
    ck_assert_int_eq(f->to.can_write, false);
    ck_assert_uint_gt(f->way.n_held, 0);
    finish(f);
}
END_TEST

START_TEST(test_the_end_is_passed_on_after_the_last_byte)
{
    struct fixture *f = make();
    char text[8];

    ck_assert_int_eq(send(f->source, "bye", 3, 0), 3);
    shutdown(f->source, SHUT_WR);
    f->from.is_hung_up = true;
    ck_assert_int_eq(move(f), WAY_ENDED);
    ck_assert(f->way.is_ended);
    ck_assert_int_eq(recv(f->sink, text, sizeof(text), 0), 3);
    ck_assert_int_eq(recv(f->sink, text, sizeof(text), 0), 0);
    ck_assert_int_eq(move(f), WAY_ENDED);
    finish(f);
}
END_TEST

static bool has_room;

static ssize_t unused_receive(struct end *end _unused_, void *buffer _unused_, size_t size _unused_)
{
    errno = EAGAIN;
    return -1;
}

static ssize_t plain_send(struct end *end, const void *bytes, size_t n_bytes)
{
    return send(end->fd, bytes, n_bytes, MSG_DONTWAIT);
}

static int finish_with_room(struct end *end)
{
    if (!has_room)
        return -EAGAIN;
    return shutdown(end->fd, SHUT_WR) < 0 ? -errno : 0;
}

START_TEST(test_an_end_that_finds_no_room_is_told_later)
{
    static const struct end_calls calls = {
        .receive = unused_receive, .send = plain_send, .finish = finish_with_room};
    struct fixture *f = make();
    char text[8];

    f->to.calls = &calls;
    has_room = false;
    shutdown(f->source, SHUT_WR);
    ck_assert_int_eq(move(f), WAY_WAITS);
    ck_assert(f->way.is_ending && !f->way.is_ended);
    has_room = true;
    f->to.can_write = true;
    ck_assert_int_eq(move(f), WAY_ENDED);
    ck_assert(!f->way.is_ending && f->way.is_ended);
    ck_assert_int_eq(recv(f->sink, text, sizeof(text), 0), 0);
    finish(f);
}
END_TEST

START_TEST(test_a_receiver_that_has_gone)
{
    struct fixture *f = make();

    f->sink = close(f->sink) - 1;
    ck_assert_int_eq(send(f->source, "x", 1, 0), 1);
    ck_assert_int_eq(move(f), WAY_WRITE_FAILED);
    way_make_deaf(&f->way, &f->tools);
    f->from.can_read = true;
    ck_assert_int_eq(move(f), WAY_WAITS);
    finish(f);
}
END_TEST

START_TEST(test_a_reset_is_no_end)
{
    struct fixture *f = make();
    char text[8];

    f->from.is_reset = true;
    shutdown(f->source, SHUT_WR);
    ck_assert_int_eq(move(f), WAY_READ_FAILED);
    ck_assert_int_eq(recv(f->sink, text, sizeof(text), MSG_DONTWAIT), -1);
    finish(f);
}
END_TEST

SUITE("way", NULL, NULL, test_at_rest_it_holds_nothing,
      test_a_stream_arrives_whole_by_a_pipe_that_goes, test_a_stream_arrives_whole_without_splice,
      test_a_stream_arrives_whole_when_there_are_no_more_pipes,
      test_nothing_more_is_read_than_the_receiver_takes,
      test_the_end_is_passed_on_after_the_last_byte, test_an_end_that_finds_no_room_is_told_later,
      test_a_receiver_that_has_gone, test_a_reset_is_no_end)
