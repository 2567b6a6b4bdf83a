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
#include "libdispatcher/welcome.h"
#include "protocol/connection_id.h"
#include "protocol/message.h"

#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>

enum {
    BATCH_MAX = 64, /* connections acknowledged at once */

    /* An end of a session may wait this long for dispatcherd to look by itself. Under load that
     * saves a packet for nearly every session. */
    ENDED_DELAY_MSEC = 5
};

/* Owned by whoever receives until a session starts, then by whoever serves it. */
struct dispatcher_connection {
    dispatcher_worker *worker;
    int fd;
    uint64_t id;
    uint64_t accepted_at_usec; /* CLOCK_MONOTONIC */
    struct address peer;
    struct address local;
    bool is_tls;
    char id_text[CONNECTION_ID_BYTES]; /* "" until asked for */
    char peer_host[ADDRESS_TEXT_MAX];  /* likewise */
    char local_host[ADDRESS_TEXT_MAX]; /* likewise */
    char *access_texts; /* owned: the tag and its NUL, the note and its NUL; NULL: both are empty */
};

/* A place, and the connection in it, which is filled by session_reserve()'s caller. Its texts stay
 * until the place is used again: held.c may be reading them when the session ends. */
struct session {
    struct session *next;     /* of the free ones, or of those that wait for a thread */
    bool is_reserved;         /* neither free nor over; under the lock of struct sessions */
    uint64_t acknowledged_at; /* for news_end() */
    struct dispatcher_connection connection;
};

/* All places of the worker, and the threads that serve: one more than places, so that there is
 * always one to read the channel.
 *
 * An idle thread waits for the `idle_epoll` of the worker, which wakes the one that came last: its
 * stack is still in the caches. What it waits for is a packet on the channel (receive.c), or a
 * session that was started and has no thread yet. A program that takes its connections has a
 * single thread, which reads the channel (taking.c). */
struct sessions {
    pthread_mutex_t lock;
    struct session *items;     /* n_items of them, owned */
    unsigned n_items;          /* places */
    unsigned n_used;           /* places from here on have never been used */
    unsigned n_busy;           /* reserved ones */
    atomic_bool has_teller;    /* a thread will remind dispatcherd of ends that it has not read */
    struct session *free;      /* the one that became free last comes first */
    struct session *started;   /* acknowledged, without a thread yet */
    struct session **last_one; /* if the next started one is linked */
    bool is_waking;            /* a thread has been woken for those, and has not come yet */
    pthread_t *threads;        /* n_threads of them, owned */
    unsigned n_threads;
    atomic_bool is_stopping;
};

/* The reading end of the channel. One thread at a time, under the lock, reads packets and acts on
 * each before the next is read; so their order holds, whoever reads them. */
struct receiver {
    pthread_mutex_t lock;
    bool channel_is_open;
    uint64_t cut_at; /* CLOCK_MONOTONIC; when sessions are cut; USEC_INFINITY: never */
    struct session *batch[BATCH_MAX]; /* received, not yet acknowledged */
    size_t n_batch;
    alignas(8) uint8_t message[MESSAGE_BYTES_MAX];
};

struct dispatcher_worker {
    const struct dispatcher_worker_callbacks *callbacks;
    void *userdata;
    int channel;    /* stays open to the end, so that no thread meets a stale number */
    int idle_epoll; /* if idle threads wait: for the channel, and for work_fd */
    int work_fd;    /* eventfd, always readable; watched if a thread is wanted */
    int teller_fd;  /* timerfd of taking.c; -1: sessions have threads */
    int wake_fd;    /* eventfd: the main thread shall look at the drain again */
    int signal_fd;
    struct welcome welcome;
    struct sessions sessions;
    struct news news;
    atomic_uint debug;
    struct drain drain;
    struct stress stress;
    struct alert_news alert;
    struct receiver receiver; /* last, since most of its memory is never touched */
};

/* Makes the places and their threads: as many as `wanted` or as the system allows; for a program
 * that takes its connections, one thread and all the places. Returns the number of places, or a
 * negative errno if there is none. */
int sessions_start(dispatcher_worker *worker, unsigned wanted, size_t stack_size);

/* A free place whose connection the caller fills, or NULL if all are taken. It goes on with
 * session_start() or back with session_release(). */
struct session *session_reserve(dispatcher_worker *worker);

/* Called by an idle thread: it is the next to look for a session without a thread. */
void session_start(struct session *session);
void session_release(struct session *session);

/* The session is over: closes its socket, makes the place free and publishes the end. Returns true
 * if the caller is to remind dispatcherd, by sessions_remind() in ENDED_DELAY_MSEC, of what it
 * has not read. */
bool session_finish(struct session *session);

/* Reminds dispatcherd. Returns true if it is to be done again in ENDED_DELAY_MSEC. */
bool sessions_remind(dispatcher_worker *worker);

/* Sessions that were reserved and are not over. */
unsigned sessions_busy(struct sessions *sessions);

/* Connections have just been acknowledged, so dispatcherd will look: the ends of before need no
 * reminder, and the next one a whole delay. */
void taking_look(dispatcher_worker *worker);

/* Gives the connection of a session that was acknowledged to a program that takes it. */
void taking_start_session(struct session *session);

/* Prepares for taking_thread(), the one thread of a program that takes its connections. Returns 0
 * or a negative errno. */
int taking_init(dispatcher_worker *worker);
void *taking_thread(void *argument);

/* Waits for every thread of the library to end; no session may be under way. May be
 * called again. */
void sessions_stop(dispatcher_worker *worker);

/* Frees all, after sessions_stop() and after the program's own threads have ended. */
void sessions_free(dispatcher_worker *worker);

/* Answers a new dispatcherd that asks, by `adopt`, what this worker has: every connection, then
 * READY. What was written for its predecessor is dropped, since the answer holds it all; from then
 * on the ring of `ring_fd` (-1: none came), which stays the caller's, is the worker's. Returns 0,
 * -EBADMSG if the ring is none, or a negative errno of the channel. */
int held_tell(dispatcher_worker *worker, const struct message *adopt, int ring_fd);

/* From now on the channel is read. Returns 0 or a negative errno. */
int receiver_start(dispatcher_worker *worker);

/* The channel is ready: receives, and acts on it. Never waits for a
 * session, and never for dispatcherd, except with the answer to one that asks. */
void receiver_attend(dispatcher_worker *worker);

/* Drains for a cause that dispatcherd does not know of. */
void receiver_drain(dispatcher_worker *worker, enum dispatcher_drain kind);

/* Returns true if there is nothing more to do: draining, and no session. Tells when sessions are
 * cut (CLOCK_MONOTONIC). Waits for whoever receives; so it does not return if that one is stuck.
 */
bool receiver_is_done(dispatcher_worker *worker, uint64_t *ret_cut_at);

/* What the process writes, lines of the log and all output, goes to the file from now on. `fd`
 * stays the caller's. Returns 0 or a negative errno. */
int worker_use_log_file(int fd);

/* Asks the main thread to look at the drain again. */
void worker_wake(dispatcher_worker *worker);

/* What the main thread does while the others serve: signals, the drain limit and the watchdog.
 * Returns when the worker is done. */
void attend_to_life(dispatcher_worker *worker);

/* dispatcher_worker_run() with another limit for the welcome: tests do not wait for half a
 * minute. */
int worker_run(const struct dispatcher_worker_callbacks *callbacks, void *userdata,
               int welcome_limit_msec);
