/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* A dispatcherd that takes over, one that sends invalid messages, and systemd. */
#include "kit/scenes/scenes.h"

#include "kit/play/notified.h"
#include "kit/play/play.h"
#include "kit/play/verdict.h"

#include <unistd.h>

static void begin_adopt(struct play *play, size_t n_sessions)
{
    play_begin(play);
    for (size_t i = 0; i < n_sessions; i++) {
        size_t index = play_prepare(play);

        play->connections[index].tag = i == 1 ? "a tag" : "";
        play->connections[index].note = i == 1 ? "a note, too" : "";
        play_send_connections(play, 1);
        play_settle(play, index);
        play_stay(play, PLAY_CLOSED_MSEC);
        if (play->connections[index].state != PLAY_TAKEN)
            verdict_skipped("sessions do not stay in the hands of this worker");
    }
}

/* Sends ADOPT; without an answer `rule` is broken. Returns false if the worker ends instead. */
static bool ask_by_rule(struct play *play, enum rule_id rule)
{
    play->may_end = true;
    play_adopt(play);
    PLAY_WAIT(rule, play->phase == PLAY_READY || play->is_at_end, PLAY_ADOPT_LIMIT_MSEC,
              "no READY within 10 s after ADOPT%s", play_words(play));
    play->may_end = play->is_told;
    return play->phase == PLAY_READY;
}

static bool ask(struct play *play)
{
    return ask_by_rule(play, RULE_ADOPT);
}

static void ask_or_skip(struct play *play)
{
    if (!ask(play))
        verdict_skipped("the worker does not know ADOPT, and ends instead");
}

void scene_adopt(struct play *play)
{
    begin_adopt(play, 0);
    if (!ask(play))
        play_expect_end(play, RULE_ADOPT, play_limit_msec(play), true);
}

void scene_adopt_held(struct play *play)
{
    begin_adopt(play, 2);
    ask_or_skip(play);
    MUST(RULE_ADOPT_HELD, play->connections[0].is_held && play->connections[1].is_held,
         "HELD does not have every connection");
    /* One that has answered before knows how; its second answer may have the first number. */
    (void)ask_by_rule(play, play->knows.answer ? RULE_ADOPT_ANSWER : RULE_ADOPT);
}

void scene_adopt_end(struct play *play)
{
    begin_adopt(play, 2);
    ask_or_skip(play);
    for (size_t i = 0; i < 2; i++) {
        play_leave(play, i);
        PLAY_WAIT(RULE_ADOPT_END, play->connections[i].state == PLAY_OVER, play_limit_msec(play),
                  "no ENDED of a connection that was in HELD");
    }
    play_finish(play, play_take(play));
}

void scene_adopt_draining(struct play *play)
{
    begin_adopt(play, 1);
    play->is_told = play->may_end = true;
    play_send_value(play, MESSAGE_DRAIN, 3600);
    play_stay(play, PLAY_CLOSED_MSEC);
    if (play->connections[0].state == PLAY_OVER)
        verdict_skipped("sessions end by themselves when this worker drains");
    play->is_told = false;
    play->may_end = true;
    ask_or_skip(play);
    PLAY_WAIT(RULE_ADOPT_DRAINING, play->is_draining, PLAY_ANSWER_LIMIT_MSEC,
              "no DRAINING after the READY of a worker that drains");
}

/* As if two daemons had died one after the other: the third one reads both answers. */
void scene_adopt_answer(struct play *play)
{
    begin_adopt(play, 2);
    if (!play->knows.answer)
        verdict_skipped("HELLO does not have ANSWER=1");
    play_freeze(play);
    play_adopt(play);
    play_adopt(play);
    play_thaw(play);
    PLAY_WAIT(RULE_ADOPT_ANSWER, play->phase == PLAY_READY, PLAY_ADOPT_LIMIT_MSEC,
              "no answer to the second of two ADOPTs%s", play_words(play));
    MUST(RULE_ADOPT_HELD, play->connections[0].is_held && play->connections[1].is_held,
         "HELD does not have every connection");
    play_finish(play, play_take(play));
}

/* Sends an invalid message to a worker that has a session (if its sessions last), and waits until
 * it has shut the channel down. */
static size_t begin_fault(struct play *play)
{
    play_begin(play);
    size_t index = play_take(play);
    play_stay(play, PLAY_CLOSED_MSEC);
    play->may_end = true;
    return index;
}

static void expect_shutdown(struct play *play)
{
    PLAY_WAIT(play->rule, play->is_at_end, PLAY_ANSWER_LIMIT_MSEC,
              "the worker has not shut the channel down");
}

static void fault(struct play *play, const void *bytes, size_t length)
{
    (void)begin_fault(play);
    play_send(play, bytes, length, NULL, 0);
    expect_shutdown(play);
}

void scene_fault_type(struct play *play)
{
    const struct message_header header = {.type = 200};

    fault(play, &header, sizeof(header));
}

void scene_fault_own(struct play *play)
{
    const struct message_header header = {.type = MESSAGE_DRAINING};

    fault(play, &header, sizeof(header));
}

void scene_fault_cut(struct play *play)
{
    fault(play, "abc", 3);
}

void scene_fault_long(struct play *play)
{
    static const uint32_t bytes[MESSAGE_BYTES_MAX / sizeof(uint32_t) + 2] = {MESSAGE_DEBUG};

    fault(play, bytes, sizeof(bytes));
}

/* Sends one changed record, in a message of `n` connections, with the descriptor of a new
 * connection. */
static void fault_record(struct play *play, uint32_t n, uint16_t tag_length)
{
    struct {
        struct message_header header;
        struct connection_record record;
    } message = {.header = {.type = MESSAGE_CONNECTION, .value = n}};

    (void)begin_fault(play);
    size_t index = play_prepare(play);
    message.record = play->connections[index].record;
    message.record.tag_length = tag_length;
    play->connections[index].state = PLAY_SENT;
    play_send(play, &message, sizeof(message), &play->connections[index].server, 1);
    expect_shutdown(play);
    MUST(play->rule, play->connections[index].state != PLAY_TAKEN,
         "a connection of an invalid message was taken");
}

void scene_fault_count(struct play *play)
{
    fault_record(play, 2, 0);
}

void scene_fault_text(struct play *play)
{
    fault_record(play, 1, CONNECTION_TEXT_MAX);
}

void scene_fault_sessions(struct play *play)
{
    size_t n_bytes;
    const struct message_header header = {.type = 200};
    size_t index = begin_fault(play);

    play_send(play, &header, sizeof(header), NULL, 0);
    expect_shutdown(play);
    if (play->connections[index].state == PLAY_TAKEN &&
        play_is_closed(play, index, PLAY_QUIET_MSEC, &n_bytes))
        MUST(RULE_FAULT_SESSIONS, !play_has_ended(play) || play->status == 0,
             "an invalid message has cut a session short%s", play_words(play));
    play_hang_up(play, index);
    play_close_channel(play);
    play_expect_end(play, RULE_FAULT_SESSIONS, play_limit_msec(play), true);
}

static void begin_unit(struct play *play, struct notified *notified, const char *folder,
                       const char *watchdog_usec)
{
    notified_open(notified, folder);
    play_start(play, &(struct play_start){.notify_socket = notified->path,
                                          .watchdog_usec = watchdog_usec});
    play_expect_hello(play);
    play_welcome(play, &(struct play_welcome)PLAY_WELCOME);
    play_expect_ready(play);
}

static void expect_ready(struct play *play, struct notified *notified)
{
    PLAY_WAIT(play->rule, notified_read(notified) && notified->is_ready, PLAY_START_LIMIT_MSEC,
              "READY=1 did not come to NOTIFY_SOCKET=%s", notified->path);
}

/* READY=1 must not come before READY. */
void scene_notify(struct play *play)
{
    struct notified notified;

    notified_open(&notified, play->scratch);
    play_start(play, &(struct play_start){.notify_socket = notified.path});
    play_expect_hello(play);
    for (uint64_t end = play_deadline(PLAY_QUIET_MSEC); play_left(end) > 0; usleep(1000))
        MUST(RULE_NOTIFY, !notified_read(&notified) || !notified.is_ready,
             "READY=1 came before WELCOME was sent");
    play_welcome(play, &(struct play_welcome)PLAY_WELCOME);
    play_expect_ready(play);
    expect_ready(play, &notified);
}

void scene_notify_abstract(struct play *play)
{
    struct notified notified;

    begin_unit(play, &notified, NULL, NULL);
    expect_ready(play, &notified);
}

#define WATCHDOG_USEC "2000000"

enum {
    WATCHDOG_MSEC = 2000, /* the same */
    WATCHED_MSEC = 7000   /* how long it must be sent */
};

static void expect_watchdog(struct play *play, struct notified *notified, const size_t *index)
{
    uint64_t end = play_deadline(WATCHED_MSEC), due = play_deadline(WATCHDOG_MSEC);

    while (play_left(end) > 0) {
        if (notified_read(notified) && notified->has_watchdog)
            due = play_deadline(WATCHDOG_MSEC);
        MUST(play->rule, play_left(due) > 0, "no WATCHDOG=1 for %d s", WATCHDOG_MSEC / 1000);
        play_step(play, PLAY_CLOSED_MSEC);
        if (index && play->connections[*index].state == PLAY_OVER)
            verdict_skipped("sessions end by themselves when this worker drains");
    }
}

void scene_watchdog(struct play *play)
{
    struct notified notified;

    begin_unit(play, &notified, play->scratch, WATCHDOG_USEC);
    (void)play_take(play);
    expect_watchdog(play, &notified, NULL);
}

void scene_watchdog_drains(struct play *play)
{
    struct notified notified;

    begin_unit(play, &notified, play->scratch, WATCHDOG_USEC);
    size_t index = play_hold(play);
    play->may_end = play->is_told = true;
    play_send_value(play, MESSAGE_DRAIN, 3600);
    expect_watchdog(play, &notified, &index);
}
