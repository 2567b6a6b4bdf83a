/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* One session of a proxy: a client, a back end that is looked for, and the two ways between them.
 *
 * All of it happens on the thread of the relay. */
#pragma once

#include "workers/common/way.h"
#include "workers/tls/tls_session.h"

#include <dispatcher/worker.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct relay;

enum session_state {
    SESSION_SHAKES_HANDS, /* of TLS, with the client */
    SESSION_WAITS,        /* no back end may be tried now */
    SESSION_CONNECTS,     /* to a back end */
    SESSION_RELAYS,
    SESSION_IS_OVER /* until the events are handled that were fetched with its last one */
};

enum {
    END_CLIENT,
    END_SERVER,
    N_ENDS
};

/* Lists that are changed from within. All zero but `prev` and `next`, which lead to itself, where
 * it is empty. */
struct session_link {
    struct session_link *prev, *next;
};

struct session {
    dispatcher_connection *connection; /* NULL: it was given back */
    enum session_state state;
    bool is_watched;
    bool has_turn;     /* in relay->turns */
    size_t backend;    /* that is connected, or connecting, or to be tried next */
    uint64_t began_at; /* to look for a back end; microseconds, CLOCK_MONOTONIC, as the next two */
    uint64_t attempt_at;     /* this attempt to connect */
    uint64_t moved_at;       /* the last byte, or when it had to move again after a rest */
    struct tls_session *tls; /* owned; NULL: none ends here */
    struct end ends[N_ENDS];
    struct way ways[N_ENDS];     /* by where their bytes come from */
    struct session_link of_all;  /* or of those that are over */
    struct session_link watched; /* those that have a time limit */
    struct session_link turn;    /* those that have more to move */
    struct session *next_arrived;
};

/* Takes the client on, and looks for a back end. */
void session_begin(struct session *session, struct relay *relay);

/* What epoll(7) has said of one end. */
void session_event(struct session *session, struct relay *relay, struct end *end, uint32_t events);

/* Moves what can be moved. */
void session_move(struct session *session, struct relay *relay);

/* Looks at its time limits, and tries again to connect. For sessions that are watched. */
void session_tick(struct session *session, struct relay *relay);

/* The service stops: a session that has been at rest for so long ends. */
void session_stop_if_idle(struct session *session, struct relay *relay);
