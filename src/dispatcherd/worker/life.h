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
#include "dispatcherd/messages/greeting.h"
#include "dispatcherd/worker/cause.h"

enum worker_event {
    WORKER_SAYS_HELLO,     /* message */
    WORKER_SAYS_ANSWER,    /* message */
    WORKER_SAYS_HELD,      /* message */
    WORKER_SAYS_READY,     /* message */
    WORKER_SAYS_DRAINS,    /* by message, or in its ring */
    WORKER_BREAKS_RULE,    /* fault: of the protocol */
    WORKER_HAS_FAULT,      /* fault: something else makes it useless */
    WORKER_CHANNEL_ENDS,   /* nothing can be sent or read any more */
    WORKER_TIME_IS_OVER,   /* the limit of its state */
    WORKER_RETIRE,         /* reason, limit_sec: it must drain */
    WORKER_HURRY,          /* its service stops: its sessions must end soon */
    WORKER_CUT,            /* the time for stopping is over */
    WORKER_PROCESS_ENDS,   /* a child has to be reaped */
    WORKER_CAUSE_IS_KNOWN, /* cause: systemd has reported why its process has ended, or is about to
                              end */
    N_WORKER_EVENTS
};

const char *worker_state_to_string(enum worker_state state);
const char *worker_event_to_string(enum worker_event event);

/* The details of an event. */
struct worker_happening {
    const struct message *message;
    struct worker_fault fault;
    enum decision_reason reason;
    unsigned limit_sec; /* for its sessions */
    const struct worker_cause *cause;
};

/* Handles an event of the worker. The worker may be freed by the end of its process, by a time
 * limit, or by its cause. */
void worker_happens(struct worker *worker, enum worker_event event,
                    const struct worker_happening *how);

/* Begins to watch the time limits of a new worker. Returns 0 or a negative errno. */
int worker_life_begin(struct worker *worker);

/* Its process has become known: begins to watch for its exit. Returns 0 or a negative errno. */
int worker_watch_process(struct worker *worker, pid_t pid, bool is_child);

/* Handles all that is in its ring. Returns true if there was anything. */
bool worker_catch_up(struct worker *worker);

/* Lets it finish its sessions and exit; it gets no more connections. `limit_sec` is the time for
 * its sessions. With REASON_STOPPING they are asked to hurry. */
void worker_retire(struct worker *worker, enum decision_reason reason, unsigned limit_sec);

/* The service stops: tells the workers that drain already that their sessions must hurry. */
void workers_hurry(struct service *service);

/* Gives it up because of `reason` (a literal): closes its channel, and kills it if it is a child.
 * Connections that it has not acknowledged wait again at once, since it cannot do that any more;
 * its sessions count until its process has ended. */
void worker_give_up(struct worker *worker, const char *reason, const char *message_id);

/* Gives it up because it has broken a rule of the protocol. */
void worker_lied(struct worker *worker, const char *rule);

/* Its channel has ended: it is about to exit, or it is broken. */
void worker_channel_ended(struct worker *worker);

/* Sends the order to drain, perhaps again. */
void worker_send_drain(struct worker *worker);

/* systemd has reported why its process has ended, or is about to. The worker may be freed. */
void worker_take_cause(struct worker *worker, const struct worker_cause *cause);

/* Ends its sessions because the time for stopping is over: closes its channel, and kills it unless
 * its unit is unknown. */
void worker_cut(struct worker *worker);
