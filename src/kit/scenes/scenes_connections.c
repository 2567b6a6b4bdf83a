/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Connections: answers, ends, places. */
#include "kit/scenes/scenes.h"

#include "kit/play/play.h"
#include "kit/play/proc.h"
#include "kit/play/verdict.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    N_IN_A_ROW = 20,     /* connections, one after the other */
    N_FULL_CHANNEL = 64, /* connections about which the worker reports while the channel is full */
    SMALL_BUFFER = 1,    /* bytes: the kernel uses its minimum */
    FILL_QUIET_MSEC = 1000,
    TEXT_STEPS = 4, /* connections with the longest texts */
};

void scene_answer(struct play *play)
{
    play_begin(play);
    (void)play_take(play);
}

void scene_end(struct play *play)
{
    play_begin(play);
    play_finish(play, play_take(play));
}

/* If the worker serves a client before it acknowledges the connection, that is noticed in passing,
 * if the client receives something. */
void scene_early(struct play *play)
{
    bool has_heard = false;

    play_begin(play);
    for (int i = 0; i < N_IN_A_ROW; i++) {
        size_t index = play_take(play);

        has_heard = play_hear(play, index, has_heard || i == 0 ? PLAY_HEAR_MSEC : 0) || has_heard;
        play_finish(play, index);
    }
    if (!has_heard)
        verdict_skipped("the worker says nothing to its clients; --say may help");
}

/* The worker reads a connection that it can no longer acknowledge. */
void scene_given_up(struct play *play)
{
    size_t n_bytes;

    play_begin(play);
    play_freeze(play);
    size_t index = play_connect(play);
    if (play->ring.memory)
        (void)ring_close(&play->ring);
    CHECK_CALL(shutdown(play->channel, SHUT_RDWR));
    play->may_end = play->is_at_end = true;
    close(play->connections[index].server);
    play->connections[index].server = -1;
    play_thaw(play);
    MUST(RULE_GIVEN_UP, play_is_closed(play, index, play_limit_msec(play), &n_bytes),
         "a connection that could not be acknowledged is still open");
    MUST(RULE_GIVEN_UP, n_bytes == 0,
         "%zu bytes were written to a connection that could not be acknowledged", n_bytes);
}

static void expect_taken(struct play *play, enum rule_id rule, size_t index, const char *what)
{
    play_settle(play, index);
    MUST(rule, play->connections[index].state != PLAY_REFUSED, "%s", what);
}

void scene_place(struct play *play)
{
    play_begin_places(play, 1);
    for (int i = 0; i < N_IN_A_ROW; i++) {
        size_t index = play_connect(play);

        expect_taken(play, RULE_PLACE, index, "a connection was refused right after an ENDED");
        play_finish(play, index);
    }
}

void scene_full(struct play *play)
{
    play_begin(play);
    size_t first = play_hold(play);
    for (unsigned i = 1; i < play->n_places; i++)
        (void)play_hold(play);
    size_t more = play_connect(play);
    play_settle(play, more);
    MUST(RULE_FULL, play->connections[more].state == PLAY_REFUSED,
         "a connection was taken, and all %u places were taken", play->n_places);
    play_finish(play, first);
    (void)play_take(play);
}

static void expect_all(struct play *play, enum rule_id rule, const char *what)
{
    for (size_t i = 0; i < play->n_connections; i++)
        expect_taken(play, rule, i, what);
    for (size_t i = 0; i < play->n_connections; i++)
        play_finish(play, i);
}

void scene_many(struct play *play)
{
    play_begin_places(play, MESSAGE_FDS_MAX);
    for (unsigned i = 0; i < play->n_places; i++)
        (void)play_prepare(play);
    play_send_connections(play, play->n_places);
    expect_all(play, RULE_MANY, "one of several connections in a message was refused");
}

/* Texts of every length modulo 8, and the longest ones, in one message. */
void scene_texts(struct play *play)
{
    static char text[CONNECTION_TEXT_MAX + 1];

    for (size_t i = 0; i < CONNECTION_TEXT_MAX; i++)
        text[i] = (char)('a' + i % 26);
    play_begin_places(play, MESSAGE_FDS_MAX);
    for (unsigned i = 0; i < play->n_places; i++) {
        struct play_connection *c = &play->connections[play_prepare(play)];
        size_t length = i < TEXT_STEPS ? CONNECTION_TEXT_MAX : i;

        c->tag = text + CONNECTION_TEXT_MAX - length;
        c->note = i % 2 == 0 ? text + CONNECTION_TEXT_MAX - length : "";
    }
    play_send_connections(play, play->n_places);
    expect_all(play, RULE_TEXTS, "one of several connections with texts was refused");
}

void scene_addresses(struct play *play)
{
    static const struct address addresses[] = {
        {.family = AF_UNSPEC},
        {.family = AF_UNIX},
        {.family = AF_INET, .port = 65535, .bytes = {192, 0, 2, 1}},
        {.family = AF_INET6, .port = 1, .scope_id = 1, .bytes = {0xfe, 0x80, [15] = 1}},
    };

    play_begin(play);
    for (size_t i = 0; i < ELEMENTSOF(addresses); i++) {
        size_t index = play_prepare(play);

        play->connections[index].record.peer = addresses[i];
        play->connections[index].record.local = addresses[i];
        play_send_connections(play, 1);
        expect_taken(play, RULE_ADDRESSES, index, "a connection was refused for its address");
        play_finish(play, index);
    }
}

void scene_flags(struct play *play)
{
    play_begin(play);
    size_t index = play_prepare(play);
    play->connections[index].record.flags = ~CONNECTION_FLAG_TLS;
    play_send_connections(play, 1);
    expect_taken(play, RULE_FLAGS, index, "a connection was refused for its flags");
    play_finish(play, index);
}

/* The client sends until nothing more fits, and reads nothing. */
static void stuff(const struct play_connection *c)
{
    static const char line[4096] = "\r\n";

    for (int i = 0; i < 4096; i++)
        if (send(c->client, line, sizeof(line), MSG_DONTWAIT | MSG_NOSIGNAL) <= 0)
            return;
}

void scene_delay(struct play *play)
{
    play_begin(play);
    size_t idle = play_hold(play);
    play_finish(play, play_take(play));
    size_t stuffed = play_take(play);
    stuff(&play->connections[stuffed]);
    play_finish(play, play_take(play));
    play_finish(play, idle);
}

/* With this limit the worker cannot receive another descriptor. */
void scene_fewer(struct play *play)
{
    struct rlimit limit, before;

    play_begin(play);
    play_finish(play, play_take(play));
    play_stay(play, PLAY_CLOSED_MSEC);
    play_freeze(play);
    int lowest = proc_lowest_free_fd(play->worker);
    CHECK_CALL(lowest);
    CHECK_CALL(prlimit(play->worker, RLIMIT_NOFILE, NULL, &before));
    limit = before;
    limit.rlim_cur = (rlim_t)lowest;
    CHECK_CALL(prlimit(play->worker, RLIMIT_NOFILE, &limit, NULL));
    size_t index = play_connect(play);
    play_thaw(play);
    play->may_end = true; /* it may drain for that reason */
    play_settle(play, index);
    MUST(RULE_FEWER, play->connections[index].state == PLAY_REFUSED,
         "a connection was not refused, and the worker may have no more descriptors%s",
         play_words(play));
}

void scene_debug_mask(struct play *play)
{
    play_begin(play);
    play_send_value(play, MESSAGE_DEBUG, ~0u);
    size_t index = play_take(play);
    play_send_value(play, MESSAGE_DEBUG, 0);
    play_finish(play, index);
    play_finish(play, play_take(play));
}

void scene_stress(struct play *play)
{
    play_begin(play);
    if (!play->knows.stress)
        verdict_skipped("HELLO does not have STRESS=1");
    size_t index = play_take(play);
    for (int i = 0; i < 2; i++) {
        play_send_value(play, MESSAGE_STRESS, 1);
        play_finish(play, play_take(play));
        play_send_value(play, MESSAGE_STRESS, 0);
    }
    play_finish(play, index);
}

/* Waits, without reading, until the worker sends nothing more. On a busy machine each of its
 * threads may be slow to begin. */
static void let_fill(struct play *play)
{
    uint64_t end = play_deadline(PLAY_ANSWER_LIMIT_MSEC), quiet = play_deadline(FILL_QUIET_MSEC);
    int before = 0;

    while (play_left(quiet) > 0 && play_left(end) > 0) {
        int n_bytes = 0;

        usleep(10000);
        CHECK_CALL(ioctl(play->channel, FIONREAD, &n_bytes));
        if (n_bytes == 0 || n_bytes != before)
            quiet = play_deadline(FILL_QUIET_MSEC);
        before = n_bytes;
    }
}

/* Nothing but ends can fill the channel here: one that is dropped is always found. */
static void fill_with_ends(struct play *play)
{
    for (unsigned i = 0; i < play->n_places; i++)
        (void)play_take(play);
    for (size_t i = 0; i < play->n_connections; i++)
        play_leave(play, i);
    let_fill(play);
    for (size_t i = 0; i < play->n_connections; i++)
        play_finish(play, i);
}

static void fill_with_answers_and_ends(struct play *play)
{
    size_t first = play->n_connections;

    for (unsigned i = 0; i < play->n_places; i++)
        play_leave(play, play_connect(play));
    let_fill(play);
    for (size_t i = first; i < play->n_connections; i++) {
        expect_taken(play, RULE_FULL_CHANNEL, i, "a connection was refused while places were free");
        play_finish(play, i);
    }
}

/* The kit does not read, and the worker's end of the channel takes only a few messages. */
void scene_full_channel(struct play *play)
{
    struct play_welcome welcome = PLAY_WELCOME;

    welcome.max_conns = N_FULL_CHANNEL;
    play_start(play, &(struct play_start){.send_buffer_bytes = SMALL_BUFFER});
    play_expect_hello(play);
    play_welcome(play, &welcome);
    play_expect_ready(play);
    fill_with_ends(play);
    fill_with_answers_and_ends(play);
}
