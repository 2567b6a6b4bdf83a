/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* A worker process as the daemon sees it: its channel, its process, and the connections that it
 * holds. What moves it from state to state is worker/life.h; the pool keeps no more of that than
 * what decisions need (starting, ready, draining). */
#pragma once

#include "dispatcherd/core/logfile.h"
#include "dispatcherd/core/service.h"
#include "dispatcherd/core/worker_unit.h"
#include "dispatcherd/store/store.h"
#include "protocol/message.h"
#include "protocol/ring.h"

#include <sys/types.h>

#define WORKER_CAUSE_MAX 128
#define WORKER_LINES_MAX 512

enum worker_state {
    WORKER_STARTING,  /* has not said hello */
    WORKER_ADOPTED,   /* a predecessor's: asked what it holds, and has not answered */
    WORKER_WELCOMED,  /* has said hello and was answered */
    WORKER_READY,     /* takes connections */
    WORKER_DRAINING,  /* takes no more, and finishes its sessions */
    WORKER_CLOSED,    /* its channel is gone, its process is not */
    WORKER_EXITED,    /* its process is gone; what systemd says of the cause is awaited */
    WORKER_LINGERING, /* its end was reported, but its unit still has the place */
    N_WORKER_STATES
};

struct worker {
    struct service *service;
    unsigned slot;
    enum worker_state state;    /* written by worker/life.c alone */
    int channel;                /* owned; -1 once it is closed */
    int peer;                   /* owned; what was the channel to a unit, to see its end; else -1 */
    char unit[WORKER_UNIT_MAX]; /* "": not known, or none */
    pid_t pid;                  /* 0 until it is known: a unit's worker says it itself */
    int pidfd;                  /* owned; -1 while pid is 0 */
    bool is_child;              /* ours to reap, and to kill */
    bool is_stored;             /* its channel is in the service manager's store */
    bool is_told_unstored;      /* it is not, for want of room, and that was said */
    bool has_asked_ring;        /* it tells of its connections by a ring, not by messages */
    struct ring_reader ring;    /* its memory goes with the channel; see worker/ring.h */
    struct logfile log;         /* owned; see worker_log.h */
    bool has_drained;           /* it said so: its end is its own wish */
    unsigned unsent_orders;     /* what its channel was too full for: see worker/orders.h */
    bool knows_stop;            /* it knows the order STOP; others get DRAIN */
    bool knows_log;             /* it knows LOG; others keep the file they have */
    bool knows_stress;          /* it knows STRESS; others go on as always */
    bool is_told_of_stress;     /* the last it was sent is that its service is under stress */
    bool is_in_trouble;         /* a server that it needs cannot be used: backend.h */
    bool has_log_of_old;        /* it keeps a file that was moved away: that is said once */
    bool is_failed_start;       /* it left before it was of any use */
    bool has_refused;           /* a connection, without draining: that is said once */
    enum decision_reason start_reason;
    enum decision_reason retire_reason; /* REASON_NONE: nobody sent it away */
    unsigned drain_limit_sec;
    bool is_told_to_stop;         /* its drain is one for a stop: its sessions are to hurry */
    char cause[WORKER_CAUSE_MAX]; /* how systemd says that a unit's worker ended; "": not said */
    int exit_status;              /* likewise; -1: it did not exit, or that is not known */
    int exit_signal;              /* likewise; 0: none */
    bool was_stopped;             /* likewise; its unit was stopped, and it ended in good order */
    char *last_lines;             /* likewise; what it logged last; NULL: nothing; owned */
    uint64_t linger_kill_at;      /* while it lingers: then its unit is killed */
    uint64_t linger_look_usec;    /* how long until its unit is looked at again */
    uint64_t drains_since;        /* 0: it does not */
    uint64_t drains_until;        /* then it is given up */
    const char *lost_reason;      /* why its end will be no surprise; NULL: it would be one */
    struct connection **held;     /* in hand-off or active: n_held, room for n_places; owned */
    unsigned n_held;
    unsigned n_unsent; /* the last of the held ones: chosen for it and not sent yet (handoff.h) */
    unsigned n_places;
    sd_event_source *channel_source;
    sd_event_source *exit_source;
    sd_event_source *limit_source; /* of its state: see worker/life_limit.h */
    sd_event_source *rest_source;  /* while it gets nothing: see worker_rest() */
    sd_event_source *store_source; /* while the service manager is too busy for its channel */
};

/* Makes the worker of a free slot, which is starting or, with REASON_ADOPTED, adopted; for the pool
 * it is starting in any case. Takes over *channel. Returns NULL when out of memory. */
struct worker *worker_new(struct service *service, unsigned slot, enum decision_reason reason,
                          int *channel, uint64_t now);

/* Frees it with all it owns. It holds no connection any more. */
void worker_free(struct worker *worker);

/* Gives it no connection for so long, in microseconds. */
void worker_rest(struct worker *worker, uint64_t usec);

/* Puts its channel into the store, for a successor of ours. */
void worker_store(struct worker *worker);

/* Writes the name that it has there. Returns `name`. */
const char *worker_store_name(const struct worker *worker, char name[STORE_NAME_MAX]);

/* Adds to and takes from the connections that it holds. connection.c alone calls these. */
void worker_hold(struct worker *worker, struct connection *connection);
void worker_drop(struct worker *worker, struct connection *connection);

/* The connection with this identifier that it holds, or NULL. */
struct connection *worker_find(const struct worker *worker, uint64_t id);

const struct pool_worker *worker_in_pool(const struct worker *worker);

/* What log lines about it are about; `message_id` may be NULL. */
struct subject worker_subject(const struct worker *worker, const char *message_id);
