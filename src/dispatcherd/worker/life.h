/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The life of a worker: what may happen to it (events), and what that means in each state, as one
 * table in life.c. How long it may be in a state is in life_limit.h.
 *
 *     STARTING --hello--> WELCOMED --ready--> READY --drains, retire--> DRAINING
 *         |                   |                 ^ |                         |
 *         |                   |           ready | |                         |
 *         |                   |         ADOPTED + |                         |
 *         |                   |           |       |                         |
 *         +-------------------+-----------+-------+-------------------------+
 *                 | end of the channel, broken protocol, fault, time limit, cut;
 *                 | retire, unless it is ready or drains; end of the process
 *                 v
 *              CLOSED --end of the process--> EXITED, if systemd is to say why
 *                 |                              |
 *                 | end of the process           | cause, time limit
 *                 +---------------+--------------+
 *                                 v
 *                 gone, or LINGERING until its unit is gone too
 *
 * READY and DRAINING are what they are for the pool. For it a worker that has lost its channel
 * drains; one that was never ready is starting until it is gone, which then is a failed start. */
#pragma once

#include "dispatcherd/core/worker.h"
#include "dispatcherd/worker/cause.h"
#include "dispatcherd/worker/greeting.h"

enum worker_event {
    WORKER_SAYS_HELLO,     /* message */
    WORKER_SAYS_HELD,      /* message */
    WORKER_SAYS_READY,     /* message */
    WORKER_SAYS_DRAINS,    /* by message, or in its ring */
    WORKER_BREAKS_RULE,    /* fault: of the protocol */
    WORKER_HAS_FAULT,      /* fault: something else makes it useless */
    WORKER_CHANNEL_ENDS,   /* nothing can be sent or read any more */
    WORKER_TIME_IS_OVER,   /* of its state */
    WORKER_RETIRE,         /* reason, limit_sec: it is to drain */
    WORKER_HURRY,          /* its service stops, so its sessions are to end soon */
    WORKER_CUT,            /* the time for stopping is over */
    WORKER_PROCESS_ENDS,   /* it is to be waited for if it is our child */
    WORKER_CAUSE_IS_KNOWN, /* cause: systemd has said why its process has ended, or is ending */
    N_WORKER_EVENTS
};

const char *worker_state_to_string(enum worker_state state);
const char *worker_event_to_string(enum worker_event event);

/* What is known of an event, besides. */
struct worker_happening {
    const struct message *message;
    struct worker_fault fault;
    enum decision_reason reason;
    unsigned limit_sec; /* for its sessions */
    const struct worker_cause *cause;
};

/* Something has happened to the worker, which may be freed afterwards if that was the end of its
 * process, or of a time, or the cause. */
void worker_happens(struct worker *worker, enum worker_event event,
                    const struct worker_happening *how);

/* Begins to look after a new worker: its time limits. Returns 0 or a negative errno. */
int worker_life_begin(struct worker *worker);

/* Its process is known from now on: watch for its exit. Returns 0 or a negative errno. */
int worker_watch_process(struct worker *worker, pid_t pid, bool is_child);

/* Acts on all that stands in its ring. Returns true if anything did. */
bool worker_read_ring(struct worker *worker);

/* Lets it finish its sessions and exit: no more connections for it. `limit_sec` is the time for the
 * sessions. With REASON_STOPPING they are asked to hurry. */
void worker_retire(struct worker *worker, enum decision_reason reason, unsigned limit_sec);

/* The service stops: workers that drain already are told that their sessions are to hurry. */
void workers_hurry(struct service *service);

/* Gives it up because of `reason` (a literal): closes its channel, and kills a child. What it has
 * not acknowledged waits again at once, since it cannot acknowledge any more; its sessions count
 * until its process is gone. */
void worker_give_up(struct worker *worker, const char *reason, const char *message_id);

/* Gives it up because it has broken a rule of the protocol. */
void worker_lied(struct worker *worker, const char *rule);

/* Its channel has ended: it is exiting, or broken. */
void worker_channel_ended(struct worker *worker);

/* Sends (again) the order to drain. */
void worker_send_drain(struct worker *worker);

/* systemd has told why its process has ended, or just ends. The worker may be freed afterwards. */
void worker_take_cause(struct worker *worker, const struct worker_cause *cause);

/* Cuts what is left when the time for stopping is over: kills a child, closes a unit's channel. */
void worker_cut(struct worker *worker);
