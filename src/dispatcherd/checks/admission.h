/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What admission depends on besides a service's options: the mapping file, the throttle, DNS lists,
 * and the place where clients are rejected. One for the process, in its context. */
#pragma once

#include "access/decisions.h"
#include "access/ident_client.h"
#include "access/rejection.h"
#include "access/throttle.h"
#include "dispatcherd/checks/list_alerts.h"
#include "dispatcherd/checks/name_servers.h"
#include "dispatcherd/fleet/fleet.h"
#include "dns/dns_lists.h"
#include "mapping/run.h"

struct context;
struct service;

struct admission {
    struct context *context;      /* outlives this */
    struct mapping_set *mappings; /* in force; one reference */
    bool has_table;               /* these have PORT_ACCESS */
    unsigned long n_limits;       /* runs of it that were given up for taking too long */
    uint64_t limit_told_at;       /* CLOCK_MONOTONIC, in microseconds; 0: never */
    struct mapping_run *spare;    /* a run that is not in use; NULL: none; owned */
    struct throttle *throttle;
    struct fleet *fleet; /* that shares the throttle's counts; NULL: none */
    struct rejections *rejections;
    struct decisions *decisions; /* the last ones */
    struct dns_lists *lists;     /* use admission_lists() */
    struct name_servers name_servers;
    struct list_alerts list_alerts;
    struct ident_clients *ident_clients;
};

struct admission_settings {
    const char
        *dns_servers; /* "ADDRESS:PORT,…"; NULL: those of dispatcher.cnf, or else of the host */
    const struct str_list *configured_dns_servers; /* of dispatcher.cnf; NULL: none */
    uint16_t ident_port;
};

/* For every run: what decides $?x?. */
extern const struct mapping_hooks admission_hooks;

/* `context` must have its event loop and its key, and is notified of changes. Returns 0 with *ret,
 * which the caller frees, or a negative errno. */
int admission_new(struct context *context, const struct admission_settings *settings,
                  struct mapping_set *mappings, struct admission **ret);

void admission_free(struct admission *admission);

/* Brings these into force; checks that are under way go on with the mappings that they began with.
 */
void admission_set_mappings(struct admission *admission, struct mapping_set *mappings);

/* From now on connections are counted in this table, which is freed with `admission`. Before, they
 * are counted in one that does not outlive the process, and takes no memory until something is
 * counted.
 */
void admission_set_throttle(struct admission *admission, struct throttle *throttle);

/* From now on connections are counted together with the other hosts of these stores; without
 * stores, on this host alone. To be called when the throttle's table is final. */
void admission_set_fleet(struct admission *admission, const struct fleet_settings *settings);

/* The connections of the service's addresses are counted over the fleet, if one is set up for that.
 * To be called again when the fleet or the service's options have changed. */
void admission_share_addresses(struct service *service);

/* From now on decisions are noted in this log, which is freed with `admission`. Before, they are
 * noted in one that does not outlive the process. */
void admission_set_decisions(struct admission *admission, struct decisions *decisions);

/* Whether connections are checked by PORT_ACCESS. */
bool admission_has_table(const struct admission *admission);

/* From now on these name servers of dispatcher.cnf are asked; if there are none, those that the
 * host has now. */
void admission_set_name_servers(struct admission *admission, const struct str_list *configured);

/* The lists, set up to ask the name servers that are in force now. */
struct dns_lists *admission_lists(struct admission *admission);

/* A run for one check, and its return. Returns NULL when out of memory. */
struct mapping_run *admission_take_run(struct admission *admission);
void admission_return_run(struct admission *admission, struct mapping_run *run);
