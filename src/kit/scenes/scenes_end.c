/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* How a worker ends: by an order, without dispatcherd, by SIGTERM, and at a time limit. */
#include "kit/scenes/scenes.h"

#include "kit/play/play.h"
#include "kit/play/verdict.h"

#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    LONG_SEC = 3600, /* a limit that does not matter */
    SHORT_SEC = 1    /* a limit that is reached */
};

static void order(struct play *play, enum message_type type, uint32_t limit_sec)
{
    play->may_end = play->is_told = true;
    play_send_value(play, type, limit_sec);
}

static void begin_stop(struct play *play)
{
    play_begin(play);
    if (!play->knows.stop)
        verdict_skipped("HELLO does not have STOP=1");
}

static void end_idle(struct play *play, enum rule_id rule)
{
    play_expect_end(play, rule, play_limit_msec(play), true);
}

static bool is_over(const struct play *play, size_t index)
{
    return play->connections[index].state == PLAY_OVER;
}

/* Waits until the last session ends, or has its client end it. The worker must exit then, and not
 * earlier. */
static void end_after(struct play *play, enum rule_id rule, size_t index)
{
    play_stay(play, PLAY_QUIET_MSEC);
    MUST(rule, is_over(play, index) || !play_has_ended(play),
         "the worker has ended, and had a session%s", play_words(play));
    if (!is_over(play, index))
        play_finish(play, index);
    end_idle(play, rule);
}

/* The worker has a session whose client does not leave. */
static void end_late(struct play *play, enum rule_id rule, size_t index)
{
    play_stay(play, PLAY_QUIET_MSEC);
    if (is_over(play, index))
        verdict_skipped("sessions end by themselves when this worker drains");
    play_expect_end(play, rule, SHORT_SEC * 1000 + play_limit_msec(play), false);
}

void scene_drain_idle(struct play *play)
{
    play_begin(play);
    order(play, MESSAGE_DRAIN, LONG_SEC);
    end_idle(play, RULE_DRAIN_IDLE);
}

void scene_drain_sessions(struct play *play)
{
    play_begin(play);
    size_t index = play_hold(play);
    order(play, MESSAGE_DRAIN, LONG_SEC);
    end_after(play, RULE_DRAIN_SESSIONS, index);
}

static void expect_refusal(struct play *play, enum rule_id rule, const char *when)
{
    size_t late = play_connect(play);

    play_settle(play, late);
    MUST(rule, play->connections[late].state != PLAY_TAKEN && !is_over(play, late),
         "a connection was taken %s", when);
}

void scene_drain_refuses(struct play *play)
{
    play_begin(play);
    size_t index = play_hold(play);
    order(play, MESSAGE_DRAIN, LONG_SEC);
    expect_refusal(play, RULE_DRAIN_REFUSES, "after DRAIN");
    end_after(play, RULE_DRAIN_SESSIONS, index);
}

void scene_drain_limit(struct play *play)
{
    play_begin(play);
    size_t index = play_hold(play);
    order(play, MESSAGE_DRAIN, SHORT_SEC);
    end_late(play, RULE_DRAIN_LIMIT, index);
}

void scene_drain_earlier(struct play *play)
{
    play_begin(play);
    size_t index = play_hold(play);
    order(play, MESSAGE_DRAIN, LONG_SEC);
    order(play, MESSAGE_DRAIN, SHORT_SEC);
    end_late(play, RULE_DRAIN_EARLIER, index);
}

void scene_drain_later(struct play *play)
{
    play_begin(play);
    size_t index = play_hold(play);
    order(play, MESSAGE_DRAIN, SHORT_SEC);
    order(play, MESSAGE_DRAIN, LONG_SEC);
    end_late(play, RULE_DRAIN_LATER, index);
}

void scene_stop_idle(struct play *play)
{
    begin_stop(play);
    order(play, MESSAGE_STOP, LONG_SEC);
    end_idle(play, RULE_STOP_IDLE);
}

void scene_stop_sessions(struct play *play)
{
    begin_stop(play);
    size_t index = play_hold(play);
    order(play, MESSAGE_STOP, LONG_SEC);
    end_after(play, RULE_STOP_SESSIONS, index);
}

void scene_stop_limit(struct play *play)
{
    begin_stop(play);
    size_t index = play_hold(play);
    order(play, MESSAGE_STOP, SHORT_SEC);
    end_late(play, RULE_STOP_LIMIT, index);
}

void scene_stop_and_drain(struct play *play)
{
    begin_stop(play);
    size_t index = play_hold(play);
    order(play, MESSAGE_DRAIN, LONG_SEC);
    order(play, MESSAGE_STOP, LONG_SEC);
    order(play, MESSAGE_DRAIN, LONG_SEC);
    end_after(play, RULE_STOP_AND_DRAIN, index);
}

void scene_eof_idle(struct play *play)
{
    play_begin(play);
    play_close_channel(play);
    end_idle(play, RULE_EOF_IDLE);
}

/* In some protocols an idle session may end when the worker drains. This is found out with DRAIN,
 * where a worker must report it. */
static bool ends_at_drain(struct play *play)
{
    play_drop(play);
    play_begin(play);
    size_t index = play_hold(play);
    order(play, MESSAGE_DRAIN, LONG_SEC);
    play_stay(play, PLAY_QUIET_MSEC);
    return is_over(play, index);
}

void scene_eof_sessions(struct play *play)
{
    size_t n_bytes;

    play_begin(play);
    size_t index = play_hold(play);
    play_close_channel(play);
    if (play_is_closed(play, index, PLAY_QUIET_MSEC, &n_bytes)) {
        MUST(RULE_EOF_SESSIONS, ends_at_drain(play),
             "the end of the channel has cut a session short");
        verdict_skipped("sessions end by themselves when this worker drains");
    }
    MUST(RULE_EOF_SESSIONS, !play_has_ended(play), "the worker has ended, and had a session%s",
         play_words(play));
    play_hang_up(play, index);
    end_idle(play, RULE_EOF_SESSIONS);
}

void scene_eof_limit(struct play *play)
{
    size_t n_bytes;

    play_begin_limit(play, SHORT_SEC);
    size_t index = play_hold(play);
    play_close_channel(play);
    if (play_is_closed(play, index, PLAY_QUIET_MSEC, &n_bytes))
        verdict_skipped("sessions end by themselves when this worker drains");
    play_expect_end(play, RULE_EOF_LIMIT, SHORT_SEC * 1000 + play_limit_msec(play), false);
}

/* Waits until the worker has sent something, without reading it. */
static void await_unread(struct play *play)
{
    uint64_t end = play_deadline(PLAY_START_LIMIT_MSEC);
    int n_bytes = 0;

    while (n_bytes == 0 && play_left(end) > 0) {
        usleep(10000);
        CHECK_CALL(ioctl(play->channel, FIONREAD, &n_bytes));
    }
    MUST(play->rule, n_bytes > 0, "no READY within %d s%s", PLAY_START_LIMIT_MSEC / 1000,
         play_words(play));
}

/* READY is unread when the channel is closed, so that the worker gets ECONNRESET before it reads
 * the connection. */
void scene_eof_reset(struct play *play)
{
    size_t n_bytes;

    play_start(play, &(struct play_start){0});
    play_expect_hello(play);
    play_welcome(play, &(struct play_welcome)PLAY_WELCOME);
    await_unread(play);
    usleep(PLAY_QUIET_MSEC * 1000); /* it may have been an ALERT, and READY is next */
    play_freeze(play);
    size_t index = play_connect(play);
    play_close_channel(play);
    close(play->connections[index].server);
    play->connections[index].server = -1;
    play_thaw(play);
    MUST(RULE_EOF_RESET, play_is_closed(play, index, play_limit_msec(play), &n_bytes),
         "a connection that was sent before the channel was closed is still open");
    MUST(RULE_GIVEN_UP, n_bytes == 0,
         "%zu bytes were written to a connection that could not be acknowledged", n_bytes);
    end_idle(play, RULE_EOF_RESET);
}

static void terminate(struct play *play)
{
    play->may_end = true;
    play_signal(play, SIGTERM);
}

/* Waits until it reports its drain, before it ends. */
static void wait_for_draining(struct play *play)
{
    PLAY_WAIT(RULE_TERM_IDLE, play->is_draining || play->is_at_end, PLAY_ANSWER_LIMIT_MSEC,
              "no DRAINING within 5 s after SIGTERM%s", play_words(play));
    MUST(RULE_TERM_IDLE, play->is_draining, "the worker has ended without DRAINING%s",
         play_words(play));
}

void scene_term_idle(struct play *play)
{
    play_begin(play);
    terminate(play);
    wait_for_draining(play);
    end_idle(play, RULE_TERM_IDLE);
}

void scene_term_sessions(struct play *play)
{
    play_begin(play);
    size_t index = play_hold(play);
    terminate(play);
    wait_for_draining(play);
    end_after(play, RULE_TERM_SESSIONS, index);
}

void scene_term_refuses(struct play *play)
{
    play_begin(play);
    (void)play_hold(play);
    terminate(play);
    wait_for_draining(play);
    expect_refusal(play, RULE_TERM_REFUSES, "after DRAINING");
}

void scene_term_limit(struct play *play)
{
    play_begin_limit(play, SHORT_SEC);
    size_t index = play_hold(play);
    terminate(play);
    end_late(play, RULE_TERM_LIMIT, index);
}

/* A DRAINING that must not come would be noticed in passing. */
void scene_term_quiet(struct play *play)
{
    play_begin(play);
    size_t index = play_hold(play);
    order(play, MESSAGE_DRAIN, LONG_SEC);
    play_wait_until_read(play);
    play_stay(play, PLAY_CLOSED_MSEC);
    play_signal(play, SIGTERM);
    end_after(play, RULE_TERM_SESSIONS, index);
}

void scene_term_twice(struct play *play)
{
    play_begin(play);
    size_t index = play_hold(play);
    terminate(play);
    wait_for_draining(play);
    play_stay(play, PLAY_QUIET_MSEC);
    if (is_over(play, index))
        verdict_skipped("sessions end by themselves when this worker drains");
    play_signal(play, SIGTERM);
    play_expect_end(play, RULE_TERM_TWICE, play_limit_msec(play), false);
    MUST(RULE_TERM_TWICE, WIFSIGNALED(play->status) && WTERMSIG(play->status) == SIGTERM,
         "the second SIGTERM has not had its default action%s", play_words(play));
}
