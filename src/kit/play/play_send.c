/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "kit/play/play.h"

#include "base/fd.h"
#include "base/time.h"
#include "kit/play/proc.h"
#include "kit/play/verdict.h"
#include "protocol/channel.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* Identifiers need not be small or begin near 0. */
#define FIRST_ID UINT64_C(0xfedcba9800000000)

/* For a full channel: the worker has not read for this long. */
#define SEND_LIMIT_MSEC 5000

void play_send(struct play *play, const void *bytes, size_t length, const int fds[], size_t n_fds)
{
    uint64_t end = play_deadline(SEND_LIMIT_MSEC);
    int r;

    while ((r = channel_send(play->channel, bytes, length, fds, n_fds)) == -EAGAIN) {
        MUST(play->rule, play_left(end) > 0, "the worker does not read its channel");
        usleep(1000);
    }
    if (r == -EPIPE && !play->may_end)
        verdict_broken(play->rule, "the worker has closed the channel%s", play_words(play));
    if (r < 0 && r != -EPIPE) {
        errno = -r;
        verdict_failed("sending to the worker");
    }
}

void play_send_value(struct play *play, enum message_type type, uint32_t value)
{
    uint8_t bytes[sizeof(struct message_header)];

    play_send(play, bytes, message_write_value(bytes, sizeof(bytes), type, value), NULL, 0);
}

static struct address address_of(int fd, int (*get)(int, struct sockaddr *, socklen_t *))
{
    struct sockaddr_storage address;
    socklen_t length = sizeof(address);

    CHECK_CALL(get(fd, (struct sockaddr *)&address, &length));
    return address_from_sockaddr((const struct sockaddr *)&address, length);
}

static void open_connection(const struct play *play, struct play_connection *c)
{
    struct sockaddr_storage address;
    socklen_t length = sizeof(address);
    struct stat stat;

    CHECK_CALL(getsockname(play->listener, (struct sockaddr *)&address, &length));
    c->client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK_CALL(c->client);
    CHECK_CALL(connect(c->client, (const struct sockaddr *)&address, length));
    c->server = accept4(play->listener, NULL, NULL, SOCK_CLOEXEC);
    CHECK_CALL(c->server);
    CHECK_CALL(fstat(c->server, &stat));
    c->inode = stat.st_ino;
}

size_t play_prepare(struct play *play)
{
    size_t index = play->n_connections++;
    struct play_connection *c = &play->connections[index];

    if (index >= PLAY_CONNECTIONS_MAX)
        verdict_skipped("the scene needs too many connections");
    *c = (struct play_connection){.tag = "", .note = ""};
    open_connection(play, c);
    c->record = (struct connection_record){
        .id = FIRST_ID + index,
        .accepted_at_usec = time_now_usec(CLOCK_MONOTONIC),
        .peer = address_of(c->server, getpeername),
        .local = address_of(c->server, getsockname),
    };
    if (play->options->say)
        (void)!send(c->client, play->options->say, strlen(play->options->say), MSG_NOSIGNAL);
    return index;
}

static void send_some(struct play *play, size_t first, size_t n)
{
    static _Alignas(8) uint8_t bytes[MESSAGE_BYTES_MAX];
    size_t length = message_write_value(bytes, sizeof(bytes), MESSAGE_CONNECTION, 0);
    int fds[MESSAGE_FDS_MAX];

    for (size_t i = 0; i < n; i++) {
        struct play_connection *c = &play->connections[first + i];

        length = message_add_connection(bytes, sizeof(bytes), length, &c->record, c->tag, c->note);
        fds[i] = c->server;
        c->state = PLAY_SENT;
    }
    play_send(play, bytes, length, fds, n);
}

void play_send_connections(struct play *play, size_t n)
{
    send_some(play, play->n_connections - n, n);
}

size_t play_connect(struct play *play)
{
    size_t index = play_prepare(play);

    play_send_connections(play, 1);
    return index;
}

void play_send_again(struct play *play)
{
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);

    for (size_t i = 0; i < play->n_connections; i++)
        if (play->connections[i].state == PLAY_PUT_OFF && play->connections[i].again_at <= now)
            send_some(play, i, 1);
}

void play_adopt(struct play *play)
{
    char bytes[128];
    struct message_text text = message_text_start(bytes, sizeof(bytes), MESSAGE_ADOPT);
    _cleanup_fd_ int ring = -1;

    play_look(play);
    message_text_add(&text, "VERSION", "1");
    play->number = play->number == 0 ? PLAY_FIRST_NUMBER : play->number + 1;
    if (play->knows.answer)
        message_text_add_number(&text, "NUMBER", play->number);
    if (play->knows.ring) {
        ring_reader_free(&play->ring);
        int r = ring_reader_open(&play->ring, play->max_conns, &ring);
        if (r < 0) {
            errno = -r;
            verdict_failed("making a ring");
        }
        message_text_add_number(&text, "RING", play->ring.n_entries);
    }
    for (size_t i = 0; i < play->n_connections; i++)
        play->connections[i].is_held = false;
    play_send(play, bytes, text.length, &ring, ring >= 0);
    play->phase = PLAY_ADOPTING;
    play->has_adopted = true;
    play->is_draining = false;
}

void play_close_channel(struct play *play)
{
    if (play->ring.memory)
        (void)ring_close(&play->ring);
    play->channel = fd_close(play->channel);
    play->may_end = play->is_at_end = true;
}

void play_freeze(struct play *play)
{
    uint64_t end = play_deadline(PLAY_ANSWER_LIMIT_MSEC);

    CHECK_CALL(kill(play->worker, SIGSTOP));
    while (!proc_is_stopped(play->worker)) {
        if (play_left(end) == 0)
            verdict_skipped("the worker's process could not be stopped");
        usleep(1000);
    }
}

void play_thaw(struct play *play)
{
    CHECK_CALL(kill(play->worker, SIGCONT));
}

void play_signal(struct play *play, int signal)
{
    if (kill(play->worker, signal) < 0 && errno != ESRCH)
        verdict_failed("sending a signal to the worker");
}

void play_leave(struct play *play, size_t index)
{
    (void)shutdown(play->connections[index].client, SHUT_WR);
}

void play_hang_up(struct play *play, size_t index)
{
    play->connections[index].client = fd_close(play->connections[index].client);
}
