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
#include "dispatcherd/config/config_version.h"
#include "dispatcherd/config/units_due.h"
#include "dispatcherd/core/context.h"
#include "dispatcherd/core/service.h"
#include "dispatcherd/service/spare_sockets.h"
#include "dispatcherd/store/notify.h"

struct control;

enum manager_state {
    MANAGER_STARTING,
    MANAGER_RUNNING,
    MANAGER_STOPPING, /* workers finish their sessions, then we end */
    MANAGER_LEAVING,  /* workers serve on for a successor, and the daemon exits at once */
};

struct manager {
    struct context context;
    const char *config_file;
    const char *mapping_file;
    struct config_version *version; /* in force; a reference */
    enum manager_state state;
    struct service **services; /* n_services of them, owned */
    size_t n_services;
    struct unit_marks unit_marks;       /* as they were when the daemon started; owned */
    struct due_list due;                /* owned; as it was at due_at */
    uint64_t due_at;                    /* CLOCK_MONOTONIC; 0: not found yet */
    uint64_t read_at;                   /* CLOCK_REALTIME: when `version` was read */
    struct spare_sockets spare_sockets; /* passed sockets that belong to no service in force */
    struct state *durable;              /* owned: what survives the daemon */
    struct notifier notifier;
    struct control *control;         /* owned; NULL: there is none */
    uint64_t started_at;             /* CLOCK_MONOTONIC */
    char host_name[HOST_NAME_BYTES]; /* up to its first dot; written by host_name_watch.c */
    sd_event_source *host_name_source;
    struct timer status_timer;
    struct timer orphans_timer; /* for orphans.c; only made in process 1 */
    struct timer stop_timer;    /* for stop.c, as is the next one */
    struct timer extend_timer;
    uint64_t leave_until;        /* leaving: how long waiting connections may delay that */
    bool is_cut;                 /* stopping: sessions were cut since their time was over */
    bool is_on_last_config;      /* dispatcher.cnf is broken, and the last valid configuration is in
                                    force */
    bool is_file_broken;         /* it was refused when it was last read */
    bool has_successor_store;    /* workers can be left to a successor */
    bool has_passed_sockets;     /* a service manager binds the sockets, not the daemon */
    unsigned long config_number; /* of the last valid configuration in the store */
};

/* Adds a service of the version. Returns 0 with *ret, -E2BIG if there are too many, or -ENOMEM. */
int manager_add_service(struct manager *manager, struct config_version *version,
                        const struct service_options *options, struct service **ret);

/* Frees a service and its listeners. The caller removes it from the list. */
void manager_free_service(struct service *service);

/* Stores the configuration in force as the last valid one. */
void manager_remember_config(struct manager *manager);

/* Records to the file that the version in force names, if it does. */
void manager_record(struct manager *manager);

/* Shares the counts of limits as the configuration in force says. */
void manager_set_fleet(struct manager *manager);

/* Sums over all services. */
unsigned manager_count_workers(const struct manager *manager);
unsigned manager_count_connections(const struct manager *manager);
unsigned manager_count_passed_on(const struct manager *manager); /* of these */
