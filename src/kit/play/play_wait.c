/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "kit/play/play.h"

#include "base/time.h"
#include "kit/play/verdict.h"

#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    WORDS_MAX = 400,        /* bytes of the worker's output that are shown */
    HALF_CLOSED_MSEC = 1000 /* after this, the client closes the connection altogether */
};

uint64_t play_deadline(int msec)
{
    return time_now_usec(CLOCK_MONOTONIC) + (uint64_t)msec * USEC_PER_MSEC;
}

int play_left(uint64_t deadline)
{
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);

    return now >= deadline ? 0 : (int)((deadline - now + USEC_PER_MSEC - 1) / USEC_PER_MSEC);
}

int play_limit_msec(const struct play *play)
{
    return (int)play->options->limit_sec * 1000;
}

void play_stay(struct play *play, int msec)
{
    uint64_t end = play_deadline(msec);

    while (play_left(end) > 0)
        play_step(play, play_left(end));
}

void play_wait_until_read(struct play *play)
{
    uint64_t end = play_deadline(PLAY_ANSWER_LIMIT_MSEC);
    int n_bytes = 0;

    while (ioctl(play->channel, SIOCOUTQ, &n_bytes) == 0 && n_bytes > 0 && play_left(end) > 0)
        play_step(play, 1);
}

void play_settle(struct play *play, size_t index)
{
    const struct play_connection *c = &play->connections[index];
    uint64_t end = play_deadline(PLAY_ANSWER_LIMIT_MSEC);

    while (c->state == PLAY_SENT || c->state == PLAY_PUT_OFF) {
        if (play_left(end) == 0 && c->state == PLAY_PUT_OFF)
            verdict_skipped("the worker puts off whatever comes: nobody takes it");
        MUST(play->rule, play_left(end) > 0, "no answer to a connection within 5 s%s",
             play_words(play));
        play_step(play, play_left(end));
        if (play->is_at_end && c->state == PLAY_SENT)
            return;
    }
}

size_t play_take(struct play *play)
{
    size_t index = play_connect(play);

    play_settle(play, index);
    MUST(play->rule,
         play->connections[index].state == PLAY_TAKEN ||
             play->connections[index].state == PLAY_OVER,
         "a connection was refused, and there are free places");
    return index;
}

void play_finish(struct play *play, size_t index)
{
    struct play_connection *c = &play->connections[index];
    uint64_t half = play_deadline(HALF_CLOSED_MSEC);

    play_leave(play, index);
    while (c->state == PLAY_TAKEN && play_left(half) > 0)
        play_step(play, play_left(half));
    if (c->state == PLAY_TAKEN)
        play_hang_up(play, index);
    PLAY_WAIT(play->rule, c->state != PLAY_TAKEN, play_limit_msec(play),
              "no ENDED within %u s after the client has left%s", play->options->limit_sec,
              play_words(play));
}

bool play_hear(struct play *play, size_t index, int msec)
{
    struct pollfd fd = {.fd = play->connections[index].client, .events = POLLIN};
    uint64_t end = play_deadline(msec);

    while (poll(&fd, 1, 0) != 1) {
        if (play_left(end) == 0)
            return false;
        play_step(play, play_left(end));
    }
    return true;
}

size_t play_hold(struct play *play)
{
    size_t index = play_take(play);

    (void)play_hear(play, index, PLAY_QUIET_MSEC);
    play_stay(play, PLAY_CLOSED_MSEC);
    if (play->connections[index].state == PLAY_OVER)
        verdict_skipped("sessions do not stay in the hands of this worker");
    return index;
}

bool play_is_closed(struct play *play, size_t index, int msec, size_t *ret_n_bytes)
{
    struct pollfd fd = {.fd = play->connections[index].client, .events = POLLIN};
    uint64_t end = play_deadline(msec);
    char bytes[4096];

    *ret_n_bytes = 0;
    if (fd.fd < 0)
        return true;
    do {
        ssize_t n = recv(fd.fd, bytes, sizeof(bytes), MSG_DONTWAIT);

        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
            return true;
        if (n > 0)
            *ret_n_bytes += (size_t)n;
        else
            (void)poll(&fd, 1, play_left(end));
    } while (play_left(end) > 0);
    return false;
}

bool play_has_ended(struct play *play)
{
    if (play->child > 0 && waitpid(play->child, &play->status, WNOHANG) == play->child)
        play->child = 0;
    return play->child == 0;
}

static const char *describe(int status)
{
    static char text[64];

    if (WIFSIGNALED(status))
        snprintf(text, sizeof(text), "was killed by signal %d", WTERMSIG(status));
    else
        snprintf(text, sizeof(text), "has ended with status %d", WEXITSTATUS(status));
    return text;
}

static void check_ends(const struct play *play)
{
    for (size_t i = 0; i < play->n_connections; i++)
        MUST(RULE_DRAIN_SESSIONS, play->connections[i].state != PLAY_TAKEN,
             "the worker has ended, with status 0, and not told of the end of a connection");
}

void play_expect_end(struct play *play, enum rule_id rule, int msec, bool is_clean)
{
    uint64_t end = play_deadline(msec);

    play->may_end = true;
    while (!play_has_ended(play)) {
        MUST(rule, play_left(end) > 0, "the worker has not ended within %d.%d s%s", msec / 1000,
             msec % 1000 / 100, play_words(play));
        play_step(play, play_left(end));
    }
    play_step(play, 0);
    bool is_zero = WIFEXITED(play->status) && WEXITSTATUS(play->status) == 0;
    MUST(rule, is_zero == is_clean, "the worker %s%s", describe(play->status), play_words(play));
    if (is_clean && play->channel >= 0)
        check_ends(play);
}

const char *play_words(const struct play *play)
{
    static char text[WORDS_MAX + 32];
    char words[WORDS_MAX + 1];
    ssize_t length = pread(play->output, words, WORDS_MAX, 0);

    if (length <= 0)
        return "";
    while (length > 0 && words[length - 1] == '\n')
        length--;
    words[length] = '\0';
    snprintf(text, sizeof(text), "; it says: %s", words);
    return text;
}
