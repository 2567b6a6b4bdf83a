/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What the parts of libdispatcher share. A program sees <dispatcher/worker.h> alone. */
#pragma once

#include "dispatcher/worker.h"
#include "libdispatcher/alert.h"
#include "libdispatcher/drain.h"
#include "libdispatcher/manager.h"
#include "libdispatcher/news.h"
#include "libdispatcher/stress.h"
#include "libdispatcher/tls.h"
#include "libdispatcher/welcome.h"
#include "protocol/connection_id.h"
#include "protocol/message.h"

#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>

enum {
    BATCH_MAX = 64, /* connections acknowledged at once */

    /* The end of a session may wait this long for dispatcherd to read the ring by itself. Under
     * load that saves a packet for nearly every session. */
    ENDED_DELAY_MSEC = 5
};

/* Bytes of a message with one connection. */
#define HELD_BYTES_MAX                                                                             \
    (sizeof(struct message_header) + sizeof(struct connection_record) + 2 * CONNECTION_TEXT_MAX + 8)

/* Owned by the receiver until a session starts, then by the thread that serves it. */
struct dispatcher_connection {
    dispatcher_worker *worker;
    int fd;
    uint64_t id;
    uint64_t accepted_at_usec; /* CLOCK_MONOTONIC */
    struct address peer;
    struct address local;
    bool is_tls;
    enum dispatcher_outcome outcome;
    char id_text[CONNECTION_ID_BYTES]; /* "" until it is asked for */
    char peer_host[ADDRESS_TEXT_MAX];  /* likewise */
    char local_host[ADDRESS_TEXT_MAX]; /* likewise */
    char *tls; /* owned: the message that reports its TLS, or NULL; under struct tls_news' lock */
    uint32_t tls_length;
    bool awaits_identity; /* under the lock of struct sessions */
    char *identity;       /* likewise; owned; NULL: not known. Until the place is used again */
    char *access_texts; /* owned: the tag and its NUL, the note and its NUL; NULL: both are empty */
};

/* A place and its connection, which the caller of session_reserve() fills in. Its texts are kept
 * until the place is used again: held.c may be reading them when the session ends. */
struct session {
    struct session *next;     /* in the list of free ones, or of those that wait for a thread */
    bool is_reserved;         /* neither free nor ended; protected by the lock of struct sessions */
    uint64_t acknowledged_at; /* for news_end() */
    struct dispatcher_connection connection;
};

/* All places of the worker, and the threads that serve: one more than places, so that there is
 * always one to read the channel.
 *
 * Idle threads wait for the worker's `idle_epoll`, which wakes the one that came last, whose stack
 * is still in the caches. It is woken by a packet on the channel (receive.c), or by a session that
 * has started and has no thread yet. A program that takes its connections itself has a single
 * thread, which reads the channel (event_mode.c). */
struct sessions {
    pthread_mutex_t lock;
    bool knows_outcomes;       /* dispatcherd knows FAILED and SENT_AWAY; protected by the lock */
    struct session *items;     /* n_items of them, owned */
    unsigned n_items;          /* places */
    unsigned n_used;           /* places from here on have never been used */
    unsigned n_busy;           /* reserved ones */
    pthread_cond_t identified; /* the identity of some session is known */
    atomic_bool
        has_teller;       /* a thread is going to remind dispatcherd of ends that it has not read */
    struct session *free; /* the one that became free last comes first */
    struct session *started;   /* acknowledged, without a thread yet */
    struct session **last_one; /* where the next started one is linked */
    bool is_waking;            /* a thread was woken for those, and has not arrived yet */
    pthread_t *threads;        /* n_threads of them, owned */
    unsigned n_threads;
    atomic_bool is_stopping;
};

/* The reading end of the channel. One thread at a time, holding the lock, reads packets and handles
 * each before the next is read; so they are handled in their order, whichever thread reads them. */
struct receiver {
    pthread_mutex_t lock;
    bool channel_is_open;
    uint64_t cut_at; /* when sessions are cut; CLOCK_MONOTONIC; USEC_INFINITY: never */
    struct session *batch[BATCH_MAX]; /* received, and not yet acknowledged */
    size_t n_batch;
    alignas(8) uint8_t message[MESSAGE_BYTES_MAX];
};

struct dispatcher_worker {
    const struct dispatcher_worker_callbacks *callbacks;
    void *userdata;
    int channel;    /* open until the end, so that no thread uses a number that was closed */
    int idle_epoll; /* where idle threads wait: for the channel, and for work_fd */
    int work_fd;    /* eventfd, always readable; watched if a thread is needed */
    int teller_fd;  /* timerfd of event_mode.c; -1: sessions have threads */
    int wake_fd;    /* eventfd: the main thread has to look at the drain again */
    int signal_fd;
    struct welcome welcome;
    struct sessions sessions;
    struct news news;
    atomic_uint debug;
    struct drain drain;
    struct stress stress;
    struct alert_news alert;
    struct tls_news tls;
    struct receiver receiver; /* last, since most of its memory is never touched */
};

/* Makes the places and their threads, as many as `wanted` or as the system allows; for a program
 * that takes its connections itself, one thread and all the places. Returns the number of places,
 * or a negative errno if there is none. */
int sessions_start(dispatcher_worker *worker, unsigned wanted, size_t stack_size);

/* Reserves a free place, whose connection the caller fills in; NULL if all are taken. Next comes
 * session_start() or session_release(). */
struct session *session_reserve(dispatcher_worker *worker);

/* To be called by an idle thread, which then looks for a session without a thread. */
void session_start(struct session *session);
void session_release(struct session *session);

/* The session has ended (ENDED; the outcome is added), or another program has the connection
 * (PASSED_ON): closes its socket, frees the place, and publishes that. Returns true if the caller
 * has to call sessions_remind() in ENDED_DELAY_MSEC. */
bool session_finish(struct session *session, enum message_type how);

/* Reminds dispatcherd of ends that it has not read. Returns true if that has to be repeated in
 * ENDED_DELAY_MSEC. */
bool sessions_remind(dispatcher_worker *worker);

/* How many sessions are reserved and have not ended. */
unsigned sessions_busy(struct sessions *sessions);

/* Connections have just been acknowledged, so dispatcherd will read the ring: earlier ends need no
 * reminder, and the next one has a whole delay. */
void event_mode_remind(dispatcher_worker *worker);

/* Gives the connection of an acknowledged session to a program that takes it itself. */
void event_mode_start_session(struct session *session);

/* Prepares for event_mode_thread(), the only thread for a program that takes its connections
 * itself. Returns 0 or a negative errno. */
int event_mode_init(dispatcher_worker *worker);
void *event_mode_thread(void *argument);

/* Waits until all threads of the library have ended; no session may be under way. May be called
 * again. */
void sessions_stop(dispatcher_worker *worker);

/* Frees everything. To be called after sessions_stop(), when the program's own threads have ended.
 */
void sessions_free(dispatcher_worker *worker);

/* Answers a new dispatcherd that asks, by `adopt`, what this worker holds: every connection, then
 * READY. What was written for its predecessor is dropped, since the answer contains it. From then
 * on the worker uses the ring in `ring_fd` (-1: none), which stays the caller's. Returns 0,
 * -EBADMSG if the ring is invalid, or a negative errno of the channel. */
int held_tell(dispatcher_worker *worker, const struct message *adopt, int ring_fd);

/* Writes the connection as a message of that type, HELD or PUT_BACK, to `bytes`, which has room for
 * HELD_BYTES_MAX and is aligned to eight. Returns its length. */
size_t held_write(void *bytes, enum message_type type, const dispatcher_connection *connection);

/* Before any session. */
void identity_init(struct sessions *sessions);

/* Takes a MESSAGE_IDENTITY. */
void identity_take(dispatcher_worker *worker, const struct message *message);

/* Begins to read the channel. Returns 0 or a negative errno. */
int receiver_start(dispatcher_worker *worker);

/* The channel is readable: receives packets and handles them. Never waits for a session, nor for
 * dispatcherd, except when it answers a new one. */
void receiver_attend(dispatcher_worker *worker);

/* Begins a drain for a reason that dispatcherd does not know. */
void receiver_drain(dispatcher_worker *worker, enum dispatcher_drain kind);

/* Returns true if nothing is left to do: the worker drains, and has no session. *ret_cut_at is when
 * sessions are cut (CLOCK_MONOTONIC). Waits for the thread that receives; so it does not return if
 * that one is stuck. */
bool receiver_is_done(dispatcher_worker *worker, uint64_t *ret_cut_at);

/* Sends all output of the process, including log lines, to the file from now on. `fd` stays the
 * caller's. Returns 0 or a negative errno. */
int worker_use_log_file(int fd);

/* Makes the main thread look at the drain again. */
void worker_wake(dispatcher_worker *worker);

/* Runs in the main thread while the others serve: handles signals, the drain limit and the
 * watchdog. Returns when the worker is done. */
void attend_to_life(dispatcher_worker *worker);

/* dispatcher_worker_run() with another limit for the welcome, since tests should not wait for half
 * a minute. */
int worker_run(const struct dispatcher_worker_callbacks *callbacks, void *userdata,
               int welcome_limit_msec);
