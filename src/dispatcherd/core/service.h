/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* A running service: its options, its pool, its listeners, and the connections that wait.
 *
 * Plain data for the modules that act on it (listener, dispatch, handoff, completion and others).
 */
#pragma once

#include "access/addresses.h"
#include "base/timer.h"
#include "config/options.h"
#include "dispatcherd/core/alerts.h"
#include "dispatcherd/core/backend.h"
#include "dispatcherd/core/certificate.h"
#include "dispatcherd/core/connection.h"
#include "dispatcherd/core/failed_starts.h"
#include "dispatcherd/core/ring_watch.h"
#include "dispatcherd/core/unsent.h"
#include "dispatcherd/recorder/recorder.h"
#include "dispatcherd/sockets/handed_fd.h"
#include "dispatcherd/sockets/kernel_queue.h"
#include "dispatcherd/sockets/reach.h"
#include "dispatcherd/store/state.h"
#include "dns/dns_queries.h"
#include "pool/policy.h"
#include "statistics/alert.h"
#include "statistics/rejection_run.h"

struct check;
struct config_version;
struct context;
struct listener;
struct worker;

/* Each group of fields is written only by the files that are named above it;
 * tests/units/test_owners.sh checks that. The structs of parts are defined and written by the
 * module that they are named after. */
struct service {
    /* core/service.c */
    struct context *context;
    struct config_version *version;        /* a reference */
    const struct service_options *options; /* part of the version */
    uint32_t configured_debug; /* the mask of the configuration, which a command may have changed */
    struct pool_options pool_options;
    struct service_state *state; /* memory that survives the daemon; the next two are parts of it */
    struct pool *pool;
    struct statistics *statistics;
    struct timer timer;      /* for the next time at which the policy may decide otherwise */
    struct timer look_timer; /* for looking at the rings while hand-offs are under way */
    /* Called after any change, to carry out what the policy decides. May be called by anyone at any
     * time; a call during a call is put off. */
    void (*dispatch)(struct service *service);
    bool is_dispatching;
    bool dispatch_again;
    bool has_looked; /* look_timer has fired since service_rests() */

    /* core/worker.c */
    struct worker *workers[POOL_WORKERS_MAX]; /* by slot; owned; NULL: the slot is free */

    /* core/connection.c */
    struct connection_queue waiting; /* owned; the one that has waited longest comes first */

    /* checks/check.c */
    TAILQ_HEAD(check_queue, check) checks; /* of connections that are being checked; owned */
    struct dns_account dns_account;        /* of its queries to DNS lists */

    /* checks/reject.c */
    uint64_t fault_told_at; /* when a failed check was last reported */

    /* service/listener.c, sockets/kernel_queue.c */
    struct listener *listeners; /* n_listeners of them, owned */

    /* service/listener.c */
    size_t n_listeners;
    size_t next_listener;      /* which listener is asked first for the next connection */
    unsigned long n_shortages; /* how often accepting failed for lack of a descriptor or memory */
    uint64_t shortage_told_at;

    /* service/dispatch.c */
    enum accept_verdict told_verdict; /* what bit 4 of DEBUG last reported */

    /* service/statistics_log.c */
    uint64_t statistics_log_at; /* when bit 20 of DEBUG may report next */

    /* messages/worker_log.c */
    sd_event_source *log_source; /* watches the folder of LOGFILE */

    /* messages/stress.c */
    struct alert stress; /* nearly all places are taken */

    /* reload.c */
    bool is_going; /* no longer in dispatcher.cnf: freed when its workers have ended */

    /* core/alerts.c, alerts/alert_watch.c */
    struct alerts alerts;

    /* Parts, each with a module of its own. */
    struct addresses addresses;         /* access/addresses.c */
    struct backends backends;           /* core/backend.c */
    struct backlog backlog;             /* sockets/kernel_queue.c */
    struct certificate certificate;     /* core/certificate.c */
    struct close_caution caution;       /* sockets/handed_fd.c */
    struct failed_starts failed_starts; /* core/failed_starts.c */
    struct reach reach;                 /* sockets/reach.c */
    struct recorded_state recorded;     /* recorder/recorder.c */
    struct rejection_run rejections;    /* statistics/rejection_run.c */
    struct ring_watch ring_watch;       /* core/ring_watch.c */
    struct unsent unsent;               /* core/unsent.c */
};

/* Makes the service of `options`, which are part of `version`. It keeps a reference to the version,
 * and owns its place in the state that survives. It has no listeners and no workers yet. Returns 0
 * or a negative errno. */
int service_new(struct context *context, struct config_version *version,
                const struct service_options *options, struct service_state *state,
                void (*dispatch)(struct service *service), struct service **ret);

/* Brings other options into force: limits apply at once, workers that were started with other
 * values are outdated, and a failed start is tried again. */
void service_set_options(struct service *service, struct config_version *version,
                         const struct service_options *options);

/* Frees the service with all it owns. Its listeners, its checks, and its account with the DNS lists
 * must have been freed before. */
void service_free(struct service *service);

/* Something has changed: calls service->dispatch or, if it is running, makes it run once more. */
void service_touch(struct service *service);

/* Nothing is left to do until something changes: from now on the rings count as not looked at. */
void service_rests(struct service *service);

/* The service of that name; NULL if there is none. */
struct service *services_find(struct service *const services[], size_t n_services,
                              const char *unit_name);

/* The number of places of a full pool: MAX_PROCS times MAX_CONNS. */
unsigned long service_places(const struct service *service);

/* Why clients of the service wait, in the kernel's queues or in its own; "" if none does, or not
 * for long. */
const char *service_wait_cause(const struct service *service, uint64_t now);

/* They wait for what its workers pass connections to: more workers would not help. */
bool service_waits_for_server(const struct service *service, uint64_t now);
