/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* A service at work: its options, its pool, its listeners, and the connections that wait.
 *
 * Plain data for the modules that act on it; what acts is named after what it does (listener,
 * admission, dispatch, handoff, completion). */
#pragma once

#include "access/dns_queries.h"
#include "base/timer.h"
#include "config/options.h"
#include "dispatcherd/core/connection.h"
#include "dispatcherd/core/reach.h"
#include "dispatcherd/core/refusal_run.h"
#include "dispatcherd/store/state.h"
#include "pool/policy.h"
#include "statistics/alert.h"

struct check;
struct concurrency;
struct config_version;
struct context;
struct listener;
struct worker;

/* What an administrator is warned of, once, until it is over: alerts.h. */
enum service_alert {
    SERVICE_ALERT_FULL,        /* every place is taken */
    SERVICE_ALERT_WAITING,     /* clients wait for too long */
    SERVICE_ALERT_DYING,       /* workers die in a row */
    SERVICE_ALERT_UNREACHABLE, /* a listening socket is missing */
    SERVICE_ALERT_REFUSING,    /* every client is refused */
    SERVICE_ALERT_BACKEND,     /* workers lack a server that they need */
    N_SERVICE_ALERTS
};

struct service {
    struct context *context;
    struct config_version *version;        /* used */
    const struct service_options *options; /* the version's */
    uint32_t configured_debug; /* the mask of the version before it was set by a command */
    struct pool_options pool_options;
    struct service_state *state; /* what survives the daemon; the next two are parts of it */
    struct pool *pool;
    struct statistics *statistics;
    struct worker *workers[POOL_WORKERS_MAX]; /* by slot; owned; NULL where the slot is free */

    struct listener *listeners; /* n_listeners of them, owned */
    size_t n_listeners;
    size_t next_listener; /* who is asked first for the next connection */
    struct reach reach;   /* of the sockets that are missing */

    TAILQ_HEAD(check_queue, check) checks; /* of connections that are being checked; owned */
    struct concurrency *addresses;         /* how many connections each has; owned */
    struct concurrency *networks;          /* likewise (source.h); owned */
    struct dns_account dns_account;        /* of the questions to DNS lists */
    struct connection_queue waiting;       /* owned; the one that waits longest first */
    uint64_t suspect_until;                /* handed_fd.h; CLOCK_MONOTONIC */
    uint64_t closer_until;                 /* likewise */
    unsigned n_unsent;                     /* hand-offs begun and not sent yet (handoff.h) */
    uint64_t unsent_since;                 /* since when the first of them is */
    struct timer timer;                    /* for the policy's next moment */
    struct timer look_timer;               /* while hand-offs are under way: to look at the rings */
    sd_event_source *log_source;           /* watches the folder of LOGFILE; see worker_log.h */
    bool has_looked;                       /* it has rung since the service last came to rest */

    char start_error[1024];    /* why the last start failed; "" since one has succeeded */
    uint64_t failure_told_at;  /* when a failed start was last told */
    bool has_failed_start;     /* at least once since the daemon's start */
    unsigned long n_shortages; /* accepting failed for lack of a descriptor or memory */
    uint64_t shortage_told_at;
    uint64_t fault_told_at; /* when a check that failed was reported last */

    struct alert alerts[N_SERVICE_ALERTS]; /* by enum service_alert */
    uint64_t waits_from;     /* before that nobody was there to serve: no wait is longer */
    uint64_t longest_wait;   /* of the waits that are over, since the alerts were looked at last */
    struct alert stress;     /* nearly all places are taken: stress.h */
    struct alert_row deaths; /* of workers that died, or could not be started */
    bool has_new_death;      /* since the alerts were looked at last */
    char last_death[1024];   /* how the last one did */
    struct refusal_run refusals; /* of clients, in a row */
    unsigned n_in_trouble;       /* workers that lack a server: backend.h */
    char trouble[256];           /* what the last of them has said; a worker's words */

    bool is_queueing;       /* clients may lie in the kernel's queues for longer than a moment */
    uint64_t queue_since;   /* when they were found there first; 0: none */
    uint64_t queue_look_at; /* not before; see queue_watch() */
    uint64_t n_queued;      /* clients there at the last look */
    uint64_t n_crowd;       /* most that were there since the alerts were looked at last */
    uint64_t crowd_look_at; /* not before; see queue_note_crowd() */

    enum accept_verdict told_verdict; /* what bit 4 of DEBUG has told last */
    uint64_t figures_at;              /* when bit 20 of DEBUG may tell next */

    /* Called after any change: carries out what the policy decides. May be called by anybody at
     * any time; calls into the middle of itself are put off. */
    void (*dispatch)(struct service *service);
    bool is_going; /* no longer in dispatcher.cnf: freed when its workers are gone */
    bool is_dispatching;
    bool dispatch_again;
};

/* Makes the service of `options`, which are part of `version`, with its place in what survives; it
 * uses the version and owns the place. It has no listeners and no workers yet. Returns 0 or a
 * negative errno. */
int service_new(struct context *context, struct config_version *version,
                const struct service_options *options, struct service_state *state,
                void (*dispatch)(struct service *service), struct service **ret);

/* Other options come into force: limits at once, and workers that were started with something else
 * are outdated. A start that failed is tried again. */
void service_set_options(struct service *service, struct config_version *version,
                         const struct service_options *options);

/* Frees the service with all it owns, but for its listeners, its checks and
 * its account with the DNS lists: they are freed before. */
void service_free(struct service *service);

/* Something has changed: runs service->dispatch, or has the running one go round again. */
void service_touch(struct service *service);

/* Remembers and tells why a worker that was started for `reason` could not be; the pool delays the
 * next try. Where it was to replace an outdated one, the old ones stay. While others serve, the
 * failure is told once a minute. */
void service_start_failed(struct service *service, enum decision_reason reason, const char *format,
                          ...) _printf_(3, 4);

/* Somebody has waited for a place from one moment until another. */
void service_note_wait(struct service *service, uint64_t from, uint64_t until);

/* A worker has died, or could not be started: `how` in words. */
void service_note_death(struct service *service, const char *how);

/* The one of that name; NULL where there is none. */
struct service *services_find(struct service *const services[], size_t n_services,
                              const char *unit_name);

/* Every place of a full pool: MAX_PROCS times MAX_CONNS. */
unsigned long service_places(const struct service *service);
