/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* A worker process as the daemon sees it: its channel, its process, and the connections that it
 * holds. worker/life.h moves it from state to state; the pool knows only what decisions need
 * (starting, ready, draining). */
#pragma once

#include "base/timer.h"
#include "dispatcherd/core/service.h"
#include "dispatcherd/process/logfile.h"
#include "dispatcherd/process/worker_unit.h"
#include "dispatcherd/store/store.h"
#include "protocol/message.h"
#include "protocol/ring.h"

#include <sys/types.h>

#define WORKER_CAUSE_MAX 128
#define WORKER_LINES_MAX 512

enum worker_state {
    WORKER_STARTING,  /* has not said hello */
    WORKER_ADOPTED,   /* a predecessor's: was asked what it holds, and has not answered */
    WORKER_WELCOMED,  /* has said hello, and was answered */
    WORKER_READY,     /* takes connections */
    WORKER_DRAINING,  /* takes no more connections, and finishes its sessions */
    WORKER_CLOSED,    /* its channel is closed, its process still runs */
    WORKER_EXITED,    /* its process has ended; systemd's report of the cause is awaited */
    WORKER_LINGERING, /* its end was reported, but its unit still exists */
    N_WORKER_STATES
};

/* Why it is given no connections for now, as bits. */
enum worker_block {
    WORKER_CHANNEL_IS_FULL = 1,
    WORKER_RESTS = 2
};

/* Each group of fields is written by the files that are named above it, as in struct service;
 * core/worker.c makes and frees the worker. */
struct worker {
    /* core/worker.c */
    struct service *service;
    unsigned slot;
    enum decision_reason start_reason;
    int channel;           /* owned; -1 once it is closed */
    int peer;              /* owned; the former channel to a unit, kept to see its end; else -1 */
    bool is_stored;        /* its channel is in the service manager's store */
    bool is_told_unstored; /* the store had no room for it, and that was reported */
    struct connection **held; /* in hand-off or active: n_held, room for n_places; owned */
    unsigned n_held;
    unsigned n_places;
    unsigned blocked_by;      /* of enum worker_block; 0: it may get connections */
    struct timer rest_timer;  /* while it rests: see worker_rest() */
    struct timer store_timer; /* until the service manager is asked again to store the channel */

    /* core/worker.c, worker/life.c */
    enum worker_state state;
    char unit[WORKER_UNIT_MAX]; /* "": unknown, or it has none */
    pid_t pid;                  /* 0 until it is known: a worker of a unit reports it */
    int pidfd;                  /* owned; -1 while pid is 0 */
    bool is_child;              /* a child process, which we reap and may kill */

    /* core/worker.c, worker/life.c, worker/life_leaving.c */
    sd_event_source *exit_source;

    /* worker/life_leaving.c */
    enum decision_reason retire_reason; /* REASON_NONE: it was not retired */
    unsigned drain_limit_sec;
    bool is_told_to_stop;    /* it drains because of a stop: its sessions are asked to hurry */
    const char *lost_reason; /* why its end is expected; NULL: it is not */

    /* worker/life_working.c, worker/worker_end.c */
    bool has_drained; /* it has announced its own drain */

    /* worker/life_limit.c */
    struct timer limit_timer; /* for its state */
    uint64_t drains_since;    /* 0: it does not drain */
    uint64_t drains_until;    /* when it is given up */

    /* messages/greeting.c, adopt.c */
    struct store_knowledge knows;

    /* adopt.c, worker/life_working.c */
    uint64_t awaited_answer; /* the number of the ADOPT whose ANSWER has not come; 0: none */

    /* core/worker.c, worker/channel.c */
    sd_event_source *channel_source;

    /* messages/worker_ring.c */
    struct ring_reader ring; /* its memory is freed with the channel */

    /* messages/orders.c */
    unsigned unsent_orders; /* for which its channel had no room, or it was not ready */

    /* messages/stress.c */
    bool is_told_of_stress; /* the last message told it that its service is under stress */

    /* messages/news.c */
    bool has_refused; /* it has refused a connection without draining: reported once */

    /* messages/worker_log.c */
    struct logfile log;  /* owned */
    bool has_log_of_old; /* its log file was moved away, and it keeps that open: reported once */

    /* worker/worker_end.c */
    bool is_failed_start; /* it left before it was of any use */

    /* core/worker.c, worker/cause.c */
    char cause[WORKER_CAUSE_MAX]; /* how its unit ended, as systemd reports; "": not reported */
    int exit_status;              /* likewise; -1: it did not exit, or that is unknown */
    int exit_signal;              /* likewise; 0: none */
    bool was_stopped;             /* likewise; its unit was stopped, and it ended properly */
    char *last_lines;             /* likewise; its last log lines; NULL: none; owned */

    /* worker/linger.c */
    uint64_t linger_kill_at;   /* while it lingers: when its unit is killed */
    uint64_t linger_look_usec; /* when its unit is looked at again */

    /* core/certificate.c */
    char certificate[CERTIFICATE_DIGEST_BYTES]; /* a SHA-256 of what it shows; "": unknown */

    /* core/backend.c */
    bool is_in_trouble; /* it cannot use a server that it needs */

    /* core/unsent.c */
    unsigned n_unsent; /* the last of the held ones: chosen for it, and not sent yet */
    TAILQ_ENTRY(worker) unsent_link;

    /* core/ring_watch.c */
    struct ring_watched watched;
};

/* Makes a worker in a free slot. It is starting, or adopted with REASON_ADOPTED; for the pool it is
 * starting in both cases. Takes over *channel. Returns NULL when out of memory. */
struct worker *worker_new(struct service *service, unsigned slot, enum decision_reason reason,
                          int *channel, uint64_t now);

/* Makes room for no more than n connections, of which there is none yet: an adopted worker has room
 * for as many as any may have. 0: not known. */
void worker_limit_places(struct worker *worker, unsigned n);

/* Frees it with all it owns. It must not hold a connection any more. */
void worker_free(struct worker *worker);

/* Gives it no connection until worker_unblock() was called for each reason. */
void worker_block(struct worker *worker, enum worker_block reason);
void worker_unblock(struct worker *worker, enum worker_block reason);

/* Gives it no connection for this long, in microseconds. */
void worker_rest(struct worker *worker, uint64_t usec);

/* Stores its channel for a successor. */
void worker_store(struct worker *worker);

/* Closes its channel and removes that from the store. If `is_kept`, the descriptor is kept as the
 * peer, to see the end of the worker's unit. */
void worker_close(struct worker *worker, bool is_kept);

/* Adds or removes a connection that it holds. Only connection.c calls these. */
void worker_hold(struct worker *worker, struct connection *connection);
void worker_drop(struct worker *worker, struct connection *connection);

/* The connection with this identifier that it holds, or NULL. */
struct connection *worker_find(const struct worker *worker, uint64_t id);

const struct pool_worker *worker_in_pool(const struct worker *worker);

/* The subject of log lines about it; `message_id` may be NULL. */
struct subject worker_subject(const struct worker *worker, const char *message_id);
