/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What decides who may come in, beside the options of a service: the mapping file, the throttle,
 * and where refused clients are turned away. One for the process, in its context. */
#pragma once

#include "access/decisions.h"
#include "access/dns_lists.h"
#include "access/ident_client.h"
#include "access/rejection.h"
#include "access/throttle.h"
#include "dispatcherd/checks/checks_store.h"
#include "dispatcherd/checks/list_alerts.h"
#include "dispatcherd/checks/name_servers.h"
#include "mapping/run.h"

struct context;

struct access {
    struct context *context;      /* outlives it */
    struct mapping_set *mappings; /* in force; one reference */
    bool has_table;               /* they have PORT_ACCESS */
    unsigned long n_limits;       /* runs of it that took too much */
    uint64_t limit_told_at;       /* CLOCK_MONOTONIC, in microseconds; 0: never */
    struct mapping_run *spare;    /* a run that nobody uses; NULL: none is left; owned */
    struct throttle *throttle;
    struct rejections *rejections;
    struct decisions *decisions; /* the last ones */
    struct dns_lists *lists;     /* see access_lists() */
    struct name_servers name_servers;
    struct list_alerts list_alerts;
    struct ident_clients *ident_clients;
    struct checks_store *checks_store;
};

struct access_settings {
    const char *dns_servers; /* "ADDRESS:PORT,…"; NULL: those of dispatcher.cnf, or of the host */
    const struct str_list *configured_dns_servers; /* of dispatcher.cnf; NULL: none */
    uint16_t ident_port;
};

/* Of every run: what $?x? is decided by. */
extern const struct mapping_hooks access_hooks;

/* `context` has its event loop and its key already, and is told of changes. Returns 0 with *ret,
 * which the caller frees, or a negative errno. */
int access_new(struct context *context, const struct access_settings *settings,
               struct mapping_set *mappings, struct access **ret);

void access_free(struct access *access);

/* From now on these count; checks that go on end with the tables that they began with. */
void access_set_mappings(struct access *access, struct mapping_set *mappings);

/* From now on this table counts; it is freed with `access`. Until then one counts that does not
 * outlive this process, and takes no memory while nothing is counted. */
void access_set_throttle(struct access *access, struct throttle *throttle);

/* From now on decisions are noted here; it is freed with `access`. Until then they are noted where
 * they do not outlive this process. */
void access_set_decisions(struct access *access, struct decisions *decisions);

/* True if PORT_ACCESS is asked about connections. */
bool access_has_table(const struct access *access);

/* From now on these name servers of dispatcher.cnf are asked; if it has none, those of the host as
 * they are now. */
void access_set_name_servers(struct access *access, const struct str_list *configured);

/* The lists, for asking them: at the name servers that are the right ones now. */
struct dns_lists *access_lists(struct access *access);

/* A run for one check, and back. Returns NULL when out of memory. */
struct mapping_run *access_take_run(struct access *access);
void access_return_run(struct access *access, struct mapping_run *run);
