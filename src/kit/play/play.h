/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* dispatcherd as a worker sees it, for one scene: starts the worker, sends what the scene says, and
 * checks in passing what a worker must keep to at any time. A broken rule ends the scene
 * (verdict.h). Every wait has a limit. */
#pragma once

#include "kit/play/options.h"
#include "kit/play/rules.h"
#include "protocol/message.h"
#include "protocol/ring.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    PLAY_CONNECTIONS_MAX = 1024,
    PLAY_START_LIMIT_MSEC = 30000, /* of the manual: until READY */
    PLAY_ANSWER_LIMIT_MSEC = 5000, /* of the manual: to a connection */
    PLAY_ADOPT_LIMIT_MSEC = 10000, /* of the manual: to ADOPT */
    PLAY_CLOSED_MSEC = 50,         /* until it is noticed that a connection has been closed */
    PLAY_STILL_OPEN_MSEC = 2000, /* after this, one is open that should be closed: processes that a
                                   worker is just starting may have copies for a while */
    PLAY_QUIET_MSEC = 300,       /* in which something unwanted would have arrived */
    PLAY_HEAR_MSEC = 1000,       /* in which a worker that speaks first does so */
    PLAY_PLACES = 4,             /* MAX_CONNS, unless the scene needs another value */
};

/* Of the first ADOPT; the next ones count up. It needs all of 64 bits. */
#define PLAY_FIRST_NUMBER UINT64_C(0xfedcba9876543210)

enum play_state {
    PLAY_NONE,
    PLAY_SENT,
    PLAY_PUT_OFF, /* will be sent again */
    PLAY_TAKEN,
    PLAY_REFUSED,
    PLAY_OVER /* ended, or passed on */
};

struct play_connection {
    enum play_state state;
    int client;             /* the client's end; -1: closed */
    int server;             /* our copy of the worker's end until it is answered; -1 */
    bool has_spoken;        /* the client has received something */
    bool is_held;           /* it was in the HELD messages since ADOPT */
    uint64_t again_at;      /* for PLAY_PUT_OFF: when to send it again; CLOCK_MONOTONIC */
    ino_t inode;            /* of the worker's end */
    const char *tag, *note; /* static texts */
    struct connection_record record;
};

/* What the scene expects from the worker next, which decides what is out of order. */
enum play_phase {
    PLAY_STARTED,
    PLAY_GREETED,  /* HELLO has come */
    PLAY_WELCOMED, /* WELCOME was sent */
    PLAY_READY,
    PLAY_ADOPTING /* ADOPT was sent */
};

struct play {
    const struct options *options;
    const char *scratch; /* prefix of the names of this scene's files, which are removed later */
    enum rule_id rule;   /* the rule that the scene is for */
    enum play_phase phase;
    int channel;      /* ours; -1: closed */
    int listener;     /* to which clients connect */
    int output;       /* memfd: standard output and standard error of the worker */
    pid_t child;      /* the process that was started; 0: reaped */
    pid_t worker;     /* the process that said HELLO */
    bool is_at_end;   /* the worker has shut the channel down, or has ended */
    bool may_end;     /* and that is no fault now */
    bool is_told;     /* it was told to drain, so it need not send DRAINING */
    bool is_draining; /* it has sent DRAINING */
    bool has_adopted; /* ADOPT was sent */
    bool no_alert;    /* the welcome is without ALERT=1 */
    bool keeps_poked; /* NEWS is expected, and poked stays 1 */
    int status;       /* of the child, after it was reaped */
    unsigned max_conns;
    unsigned n_places;
    unsigned n_news;
    struct {
        bool ring, stop, log, stress, pass, answer;
    } knows;
    uint64_t number;   /* of the last ADOPT; 0: none was sent */
    uint64_t answered; /* of the last ANSWER, until its READY; 0: none */
    struct ring_reader ring;
    size_t n_connections;
    struct play_connection connections[PLAY_CONNECTIONS_MAX];
};

/* play_start.c: starts the worker, until it is ready. */

struct play_start {
    const char *notify_socket; /* NULL: not under systemd */
    const char *watchdog_usec; /* NULL: none */
    bool has_listen_pid;
    int send_buffer_bytes; /* of the worker's end; 0: as usual */
};

void play_start(struct play *play, const struct play_start *start);
void play_expect_hello(struct play *play);

struct play_welcome {
    const char *version;
    unsigned max_conns;
    unsigned drain_limit_sec;
    int log_fd;    /* -1: none */
    bool is_mixed; /* strings in another order, with unknown ones among them */
    size_t fill;   /* the message gets at least this many bytes, by unknown strings */
};

#define PLAY_WELCOME                                                                               \
    {                                                                                              \
        .version = "1", .max_conns = PLAY_PLACES, .drain_limit_sec = 3600, .log_fd = -1            \
    }

void play_welcome(struct play *play, const struct play_welcome *welcome);
void play_expect_ready(struct play *play);

/* All of that: as usual, with this many places, with this limit. */
void play_begin(struct play *play);
void play_begin_places(struct play *play, unsigned max_conns);
void play_begin_limit(struct play *play, unsigned drain_limit_sec);

/* Ends the worker by all means, so that the scene can start another one. */
void play_drop(struct play *play);

/* play_send.c: sends what dispatcherd sends. */

void play_send(struct play *play, const void *bytes, size_t length, const int fds[], size_t n_fds);
void play_send_value(struct play *play, enum message_type type, uint32_t value);

/* Prepares a new connection without sending it. Returns its index. The record can be changed. */
size_t play_prepare(struct play *play);

/* Sends the last `n` prepared connections, up to MESSAGE_FDS_MAX, in one packet. */
void play_send_connections(struct play *play, size_t n);

/* Prepares a connection, and sends it. */
size_t play_connect(struct play *play);

/* Sends connections again whose time after PUT_OFF is over. */
void play_send_again(struct play *play);

void play_adopt(struct play *play);

/* Closes the channel: nothing that the worker sends from now on counts. */
void play_close_channel(struct play *play);

/* Stops the worker's process, and waits until all its threads are stopped. play_thaw() lets it
 * continue. */
void play_freeze(struct play *play);
void play_thaw(struct play *play);

/* Sends the worker a signal. */
void play_signal(struct play *play, int signal);

/* The client leaves: by closing its sending side, or altogether. */
void play_leave(struct play *play, size_t index);
void play_hang_up(struct play *play, size_t index);

/* play_read.c: reads what the worker sends. */

/* Handles what is in the channel and in the ring, for which it waits up to `msec`. */
void play_step(struct play *play, int msec);

/* The same without the ring. Returns true if there was a packet. */
bool play_step_channel(struct play *play, int msec);

/* Handles what is in the ring now. */
void play_look(struct play *play);

/* play_wait.c: waits for what must happen. */

/* Handles what arrives until the condition, which may use `play`, is true; after `msec` the rule is
 * broken. */
#define PLAY_WAIT(rule, condition, msec, ...)                                                      \
    do {                                                                                           \
        uint64_t end_ = play_deadline(msec);                                                       \
        while (!(condition)) {                                                                     \
            MUST(rule, play_left(end_) > 0, __VA_ARGS__);                                          \
            play_step(play, play_left(end_));                                                      \
        }                                                                                          \
    } while (0)

uint64_t play_deadline(int msec);

/* Milliseconds until then; 0: it has passed. */
int play_left(uint64_t deadline);

/* The limit from the options. */
int play_limit_msec(const struct play *play);

/* Handles what arrives until the worker has read all that was sent to it; on a busy machine that
 * takes a while. Gives up when an answer would be late. */
void play_wait_until_read(struct play *play);

/* Handles what arrives in this time, in which something unwanted would have arrived. */
void play_stay(struct play *play, int msec);

/* Waits for the answer to a connection that was sent. If that is put off again and again, the scene
 * ends: it cannot be played. */
void play_settle(struct play *play, size_t index);

/* Sends a connection, and expects that it is taken. */
size_t play_take(struct play *play);

/* The client leaves, and the session must end. */
void play_finish(struct play *play, size_t index);

/* Sends a connection whose session lasts until its client leaves, and waits until it has begun, as
 * far as that can be seen. If the worker's sessions do not last, the scene ends: it cannot be
 * played. */
size_t play_hold(struct play *play);

/* Whether the client receives something, or the end of the connection, within `msec`. */
bool play_hear(struct play *play, size_t index, int msec);

/* Whether the client sees the end of the connection within `msec`. *ret_n_bytes is what it received
 * before. */
bool play_is_closed(struct play *play, size_t index, int msec, size_t *ret_n_bytes);

/* Waits for the end of the process, which must come within `msec`; the rule is broken if it comes
 * later or with a wrong status: `is_clean` says whether that must be 0 or must not be. */
void play_expect_end(struct play *play, enum rule_id rule, int msec, bool is_clean);

/* Whether the process has ended; play->status is its status then. */
bool play_has_ended(struct play *play);

/* The worker's output, for a report: " (it says: ...)", or "". Static. */
const char *play_words(const struct play *play);
