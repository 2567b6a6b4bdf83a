/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The daemon as a whole: what run.c starts, reload.c changes and stop.c ends.
 *
 *      starting -> running -> stopping or leaving -> (the loop ends)
 *
 * starting ends when every service has its MIN_PROCS workers, or a first start that failed; stop.h
 * tells stopping from leaving. */
#pragma once

#include "base/host_name.h"
#include "base/timer.h"
#include "dispatcherd/core/config_version.h"
#include "dispatcherd/core/context.h"
#include "dispatcherd/core/service.h"
#include "dispatcherd/service/spare_sockets.h"
#include "dispatcherd/store/notify.h"
#include "dispatcherd/units_due.h"

struct control;

enum manager_state {
    MANAGER_STARTING,
    MANAGER_RUNNING,
    MANAGER_STOPPING, /* workers finish their sessions, then we end */
    MANAGER_LEAVING,  /* workers serve on for our successor, we end at once */
};

struct manager {
    struct context context;
    const char *config_file;
    const char *mapping_file;
    struct config_version *version; /* the configuration in force; used */
    enum manager_state state;
    struct service **services; /* n_services of them, owned */
    size_t n_services;
    struct unit_marks unit_marks;       /* of when we started; owned */
    struct due_list due;                /* owned; as of due_at */
    uint64_t due_at;                    /* CLOCK_MONOTONIC; 0: not found yet */
    uint64_t read_at;                   /* CLOCK_REALTIME: when `version` was read */
    struct spare_sockets spare_sockets; /* passed, of no service in force */
    struct state *durable;              /* owned: what survives us */
    struct notifier notifier;
    struct control *control;         /* owned; NULL: there is none */
    uint64_t started_at;             /* CLOCK_MONOTONIC */
    char host_name[HOST_NAME_BYTES]; /* up to its first dot; host_name_watch.h writes it */
    sd_event_source *host_name_source;
    struct timer status_timer;
    struct timer orphans_timer; /* orphans.h; not made unless this is process 1 */
    struct timer stop_timer;    /* stop.h; likewise the next */
    struct timer extend_timer;
    uint64_t leave_until;        /* leaving: what waits may hold us up so long */
    bool is_cut;                 /* stopping: the time for finishing is over */
    bool is_on_last_config;      /* dispatcher.cnf is broken: the last good one is in force */
    bool is_file_broken;         /* as far as we know: it was refused when it was last read */
    bool has_successor_store;    /* workers can be left to a successor */
    bool has_passed_sockets;     /* the service manager binds, we do not */
    unsigned long config_number; /* of what the store has as the last good configuration */
};

/* Adds a service of the version. Returns 0 with *ret, -E2BIG if there are too many, or
 * -ENOMEM. */
int manager_add_service(struct manager *manager, struct config_version *version,
                        const struct service_options *options, struct service **ret);

/* Frees a service with its listeners. The caller takes it off the list. */
void manager_free_service(struct service *service);

/* Keeps the configuration in force in the store, as the last good one. */
void manager_remember_config(struct manager *manager);

/* Sums over all services. */
unsigned manager_count_workers(const struct manager *manager);
unsigned manager_count_connections(const struct manager *manager);
