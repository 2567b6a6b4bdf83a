/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "kit/play/connection_events.h"

#include "base/fd.h"
#include "base/time.h"
#include "kit/play/verdict.h"

#include <string.h>

/* How long after PUT_OFF a connection is offered again (dispatcher-worker(7)). */
#define AGAIN_USEC (100 * USEC_PER_MSEC)

static struct play_connection *find(struct play *play, uint64_t id)
{
    for (size_t i = 0; i < play->n_connections; i++)
        if (play->connections[i].record.id == id && play->connections[i].state != PLAY_NONE)
            return &play->connections[i];
    return NULL;
}

static void draining(struct play *play)
{
    MUST(RULE_TERM_QUIET, !play->is_draining, "DRAINING came twice");
    MUST(RULE_TERM_QUIET, !play->is_told, "DRAINING came from a worker that was told to drain");
    play->is_draining = true;
}

static void answered(const struct play_connection *c, const char *name)
{
    MUST(RULE_ONCE, c->state == PLAY_SENT, "%s came for a connection that was answered before",
         name);
}

static void acknowledged(struct play_connection *c)
{
    answered(c, "ACKNOWLEDGE");
    c->state = PLAY_TAKEN;
    c->server = fd_close(c->server);
}

static void refused(struct play *play, struct play_connection *c)
{
    size_t n;

    answered(c, "REFUSE");
    c->state = PLAY_REFUSED;
    c->server = fd_close(c->server);
    MUST(RULE_REFUSED,
         play_is_closed(play, (size_t)(c - play->connections), PLAY_STILL_OPEN_MSEC, &n),
         "a connection is open after its REFUSE");
    MUST(RULE_REFUSED, n == 0, "%zu bytes were written to a connection that was refused", n);
}

static void ended(struct play *play, struct play_connection *c, const char *name)
{
    MUST(RULE_END_UNACKNOWLEDGED, c->state != PLAY_SENT,
         "%s came for a connection that was not acknowledged", name);
    MUST(RULE_END_UNACKNOWLEDGED, c->state != PLAY_REFUSED,
         "%s came for a connection that was refused", name);
    MUST(RULE_END_ONCE, c->state == PLAY_TAKEN, "%s came for a connection that is over", name);
    c->state = PLAY_OVER;
    if (c->client >= 0 && strcmp(name, "ENDED") == 0)
        MUST(RULE_CLOSED,
             play_is_closed(play, (size_t)(c - play->connections), PLAY_STILL_OPEN_MSEC,
                            &(size_t){0}),
             "a connection is open after its ENDED");
}

static void put_off(struct play *play, struct play_connection *c)
{
    MUST(RULE_PASS_ASKED, play->knows.pass, "PUT_OFF came, and HELLO did not have PASS=1");
    answered(c, "PUT_OFF");
    c->state = PLAY_PUT_OFF;
    c->again_at = time_now_usec(CLOCK_MONOTONIC) + AGAIN_USEC;
}

void connection_event(struct play *play, enum message_type type, uint64_t id)
{
    if (type == MESSAGE_DRAINING) {
        draining(play);
        return;
    }
    struct play_connection *c = find(play, id);
    MUST(RULE_KNOWN, c, "%s has the identifier %016llx, which was never sent",
         message_type_to_string(type), (unsigned long long)id);
    switch (type) {
    case MESSAGE_ACKNOWLEDGE:
        acknowledged(c);
        break;
    case MESSAGE_REFUSE:
        refused(play, c);
        break;
    case MESSAGE_PUT_OFF:
        put_off(play, c);
        break;
    case MESSAGE_PASSED_ON:
        MUST(RULE_PASS_ASKED, play->knows.pass, "PASSED_ON came, and HELLO did not have PASS=1");
        ended(play, c, "PASSED_ON");
        break;
    default:
        ended(play, c, "ENDED");
    }
}

static void check_held(const struct play_connection *c, const struct connection_view *view)
{
    const struct connection_record *held = view->record;

    MUST(RULE_ADOPT_HELD,
         held->accepted_at_usec == c->record.accepted_at_usec &&
             address_equal(&held->peer, &c->record.peer) &&
             address_equal(&held->local, &c->record.local) && held->flags == c->record.flags,
         "a record of HELD differs from the one of CONNECTION");
    MUST(RULE_ADOPT_HELD,
         held->tag_length == strlen(c->tag) && held->note_length == strlen(c->note) &&
             memcmp(view->tag, c->tag, held->tag_length) == 0 &&
             memcmp(view->note, c->note, held->note_length) == 0,
         "the tag or the note of HELD differs from that of CONNECTION");
}

void connection_event_held(struct play *play, const struct connection_view *view)
{
    struct play_connection *c = find(play, view->record->id);

    MUST(RULE_ADOPT_HELD, c, "HELD has the identifier %016llx, which was never sent",
         (unsigned long long)view->record->id);
    MUST(RULE_ADOPT_HELD, c->state == PLAY_SENT || c->state == PLAY_TAKEN,
         "HELD has a connection that is over, or was refused");
    MUST(RULE_ADOPT_HELD, !c->is_held, "HELD has a connection twice");
    check_held(c, view);
    c->is_held = true;
    c->state = PLAY_TAKEN;
    c->server = fd_close(c->server);
}

void connection_events_adopted(struct play *play)
{
    for (size_t i = 0; i < play->n_connections; i++) {
        struct play_connection *c = &play->connections[i];

        if (c->is_held || (c->state != PLAY_TAKEN && c->state != PLAY_SENT))
            continue;
        /* It may have ended while ADOPT was under way. */
        MUST(RULE_ADOPT_HELD, play_is_closed(play, i, PLAY_STILL_OPEN_MSEC, &(size_t){0}),
             "HELD does not have a connection that is not over");
        c->state = PLAY_OVER;
        c->server = fd_close(c->server);
    }
}
