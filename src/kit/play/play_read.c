/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Reads the channel and the ring. All that arrives is checked against what a worker may send at
 * that moment. */
#include "kit/play/play.h"

#include "base/fd.h"
#include "base/time.h"
#include "kit/play/connection_events.h"
#include "kit/play/verdict.h"
#include "protocol/channel.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
    /* How often the ring is read while the kit waits: as often as dispatcherd does. */
    LOOK_MSEC = 2,

    /* bytes: ACKNOWLEDGE to DRAINING in one packet */
    TOGETHER_MAX = 8200,

    ALERT_TEXT_BYTES_MAX = 255,
};

static void take_entries(struct play *play, int n)
{
    MUST(RULE_RING_TAIL, n >= 0, "the tail is more than %u entries ahead of the head, or behind it",
         play->ring.n_entries);
    while (n-- > 0) {
        const struct ring_entry entry = ring_take(&play->ring);

        MUST(RULE_RING_ENTRY,
             (entry.type >= MESSAGE_ACKNOWLEDGE && entry.type <= MESSAGE_DRAINING) ||
                 entry.type == MESSAGE_PUT_OFF || entry.type == MESSAGE_PASSED_ON,
             "an entry has the type %u", entry.type);
        connection_event(play, entry.type, entry.id);
    }
    ring_confirm(&play->ring);
}

void play_look(struct play *play)
{
    if (play->ring.memory && !play->is_at_end && play->phase == PLAY_READY)
        take_entries(play, ring_pending(&play->ring));
}

static void take_answer(struct play *play, const struct message *message)
{
    const char *text = message_find_text(message, "NUMBER");

    MUST(RULE_ADOPT_ANSWER, play->phase == PLAY_ADOPTING && play->knows.answer,
         "ANSWER came without an ADOPT that had a number");
    play->answered = text ? strtoull(text, NULL, 10) : 0;
    MUST(RULE_ADOPT_ANSWER, play->answered >= PLAY_FIRST_NUMBER && play->answered <= play->number,
         "NUMBER of ANSWER is %s, which no ADOPT had", text ? text : "missing");
}

/* Whether it is part of the answer to an earlier ADOPT, which may have no end. */
static bool is_old_answer(struct play *play, const struct message *message)
{
    bool is_part = message->type == MESSAGE_HELD || message->type == MESSAGE_READY;

    if (play->phase != PLAY_ADOPTING || !play->knows.answer || !is_part)
        return false;
    MUST(RULE_ADOPT_ANSWER, play->answered != 0, "%s came without an ANSWER before it",
         message_type_to_string(message->type));
    bool is_old = play->answered != play->number;
    if (message->type == MESSAGE_READY)
        play->answered = 0;
    return is_old;
}

static void take_ready(struct play *play, uint32_t n_places)
{
    bool is_adopting = play->phase == PLAY_ADOPTING;

    MUST(RULE_ORDER, play->phase != PLAY_READY, "READY came again");
    MUST(RULE_PLACES, n_places >= 1 && n_places <= play->max_conns,
         "READY has %u places, and MAX_CONNS is %u", n_places, play->max_conns);
    MUST(RULE_ADOPT, !is_adopting || n_places == play->n_places,
         "READY has %u places after ADOPT, and had %u before", n_places, play->n_places);
    play->n_places = n_places;
    play->phase = PLAY_READY;
    if (is_adopting)
        connection_events_adopted(play);
}

static void take_held(struct play *play, const struct message *message)
{
    struct connection_view view;
    size_t offset = 0;

    MUST(RULE_ORDER, play->phase == PLAY_ADOPTING, "HELD came without ADOPT");
    MUST(RULE_ADOPT_HELD, message->value > 0, "HELD has no connection");
    while (message_next_connection(message, &offset, &view))
        connection_event_held(play, &view);
}

static void take_alert(struct play *play, const struct message *message)
{
    const char *text = message_find_text(message, "TEXT");

    MUST(RULE_ALERT_ASKED, !play->no_alert, "ALERT came, and the welcome did not have ALERT=1");
    MUST(RULE_ALERT_TEXT, text || message->text_length == 0, "ALERT has strings, but no TEXT");
    MUST(RULE_ALERT_TEXT, !text || strlen(text) <= ALERT_TEXT_BYTES_MAX,
         "TEXT of ALERT is %zu bytes long", text ? strlen(text) : 0);
}

static void take_news(struct play *play)
{
    MUST(RULE_MESSAGE, play->ring.memory, "NEWS came from a worker without a ring");
    /* A packet about the earlier ring may arrive after ADOPT was sent. */
    MUST(RULE_NEWS_ONCE, play->has_adopted || atomic_load(&play->ring.memory->is_poked) == 1,
         "NEWS came, and poked is not 1");
    play->n_news++;
    if (!play->keeps_poked)
        ring_heard(&play->ring);
}

static void take_ids(struct play *play, const struct message *message)
{
    const char *name = message_type_to_string(message->type);

    MUST(RULE_RING_ONLY, !play->knows.ring, "%s came from a worker with a ring", name);
    if (message->type == MESSAGE_DRAINING) {
        connection_event(play, message->type, 0);
        return;
    }
    MUST(RULE_MESSAGE, message->value > 0, "%s has no identifier", name);
    for (uint32_t i = 0; i < message->value; i++)
        connection_event(play, message->type, message->ids[i]);
}

static void check_order(const struct play *play, const struct message *message)
{
    const char *name = message_type_to_string(message->type);

    MUST(RULE_WAITS, play->phase != PLAY_GREETED, "%s came before WELCOME was sent", name);
    MUST(RULE_ORDER, message->type != MESSAGE_HELLO, "HELLO came again");
    if (message->type == MESSAGE_READY || message->type == MESSAGE_ALERT)
        return;
    MUST(RULE_ORDER, play->phase != PLAY_WELCOMED, "%s came before READY", name);
    MUST(RULE_ADOPT_HELD,
         play->phase != PLAY_ADOPTING || message->type == MESSAGE_HELD ||
             message->type == MESSAGE_ANSWER || message->type == MESSAGE_NEWS,
         "%s came between ADOPT and READY", name);
}

static void take_message(struct play *play, const struct message *message)
{
    check_order(play, message);
    switch (message->type) {
    case MESSAGE_READY:
        take_ready(play, message->value);
        break;
    case MESSAGE_ANSWER:
        take_answer(play, message);
        break;
    case MESSAGE_HELD:
        take_held(play, message);
        break;
    case MESSAGE_NEWS:
        take_news(play);
        break;
    case MESSAGE_ALERT:
        take_alert(play, message);
        break;
    case MESSAGE_ACKNOWLEDGE:
    case MESSAGE_REFUSE:
    case MESSAGE_ENDED:
    case MESSAGE_DRAINING:
    case MESSAGE_PUT_OFF:
    case MESSAGE_PASSED_ON:
        take_ids(play, message);
        break;
    default:
        verdict_broken(RULE_MESSAGE, "%s came from the worker",
                       message_type_to_string(message->type));
    }
}

static bool is_of_several(enum message_type type)
{
    return type >= MESSAGE_ACKNOWLEDGE && type <= MESSAGE_DRAINING;
}

/* What was sent between ADOPT and the moment when the worker read it is ignored. */
static bool is_old(const struct play *play, const struct message *message)
{
    return play->phase == PLAY_ADOPTING && !play->knows.ring && is_of_several(message->type);
}

static void take_packet(struct play *play, const uint8_t *bytes, size_t length, size_t n_fds)
{
    struct message message;
    size_t offset = 0;

    MUST(RULE_DESCRIPTORS, n_fds == 0, "%zu descriptors came with a message", n_fds);
    while (offset < length) {
        MUST(RULE_MESSAGE, message_read(bytes + offset, length - offset, &message) == 0,
             "a packet of %zu bytes is no message, from byte %zu on", length, offset);
        MUST(RULE_MESSAGE,
             message.length == length - offset ||
                 (is_of_several(message.type) && length <= TOGETHER_MAX),
             "%zu bytes stand behind %s, in a packet of %zu bytes",
             length - offset - message.length, message_type_to_string(message.type), length);
        offset += message.length;
        if (!is_old(play, &message) && !is_old_answer(play, &message))
            take_message(play, &message);
    }
}

/* At the end, entries that were published count, and nothing after them. */
static void take_end(struct play *play)
{
    play_look(play);
    play->is_at_end = true;
    if (play->ring.memory && play->phase == PLAY_READY)
        take_entries(play, ring_close(&play->ring));
    if (play->may_end)
        return;
    verdict_broken(play->rule, "the worker has ended, or closed its channel%s", play_words(play));
}

/* Returns false if there is nothing. */
static bool receive(struct play *play)
{
    static _Alignas(8) uint8_t bytes[MESSAGE_BYTES_MAX];
    int fds[CHANNEL_FDS_MAX];
    size_t n_fds;
    pid_t pid;

    if (play->is_at_end)
        return false;
    ssize_t length = channel_receive_any(play->channel, bytes, sizeof(bytes), fds, &n_fds, &pid);
    for (size_t i = 0; i < n_fds; i++)
        fd_close(fds[i]);
    if (length == -EAGAIN)
        return false;
    MUST(RULE_MESSAGE, length >= 0, "a packet is empty, or longer than 65536 bytes");
    if (length == 0)
        take_end(play);
    else
        take_packet(play, bytes, (size_t)length, n_fds);
    return true;
}

/* If the client receives something before the worker has answered, it was served too early. */
static void note_spoken(struct play *play)
{
    char byte;

    for (size_t i = 0; i < play->n_connections; i++) {
        struct play_connection *c = &play->connections[i];

        if (c->state == PLAY_SENT && c->client >= 0)
            c->has_spoken = recv(c->client, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
    }
}

static void check_spoken(const struct play *play)
{
    for (size_t i = 0; i < play->n_connections; i++)
        MUST(RULE_EARLY,
             play->connections[i].state != PLAY_SENT || !play->connections[i].has_spoken,
             "the client of a connection has heard something before ACKNOWLEDGE was sent");
}

static void read_all(struct play *play)
{
    note_spoken(play);
    while (receive(play))
        ;
    play_look(play);
    if (!play->is_at_end)
        check_spoken(play);
    play_send_again(play);
}

void play_step(struct play *play, int msec)
{
    struct pollfd fd = {.fd = play->is_at_end ? -1 : play->channel, .events = POLLIN};

    (void)poll(&fd, 1, msec > LOOK_MSEC ? LOOK_MSEC : msec);
    read_all(play);
}

bool play_step_channel(struct play *play, int msec)
{
    struct pollfd fd = {.fd = play->is_at_end ? -1 : play->channel, .events = POLLIN};

    return poll(&fd, 1, msec) == 1 && receive(play);
}
