/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What must survive the daemon, in memory that a successor can read: a memfd in the service
 * manager's store.
 *
 * The services' pools and statistics are in this memory all the time, so nothing has to be saved:
 * whenever the daemon dies, they are there. A successor takes counts and times from it; the workers
 * themselves report which connections they hold. */
#pragma once

#include "base/socket_question.h"
#include "config/options.h"
#include "pool/pool.h"
#include "statistics/history.h"
#include "statistics/statistics.h"

#include <stdint.h>

/* Of one service. Plain data, valid in any process. */
struct service_state {
    char unit_name[40]; /* room for SERVICE_NAME_MAX; part of a layout that survives */
    struct pool pool;
    struct statistics statistics;
    struct history history;
    /* What the worker of each slot was started with (fingerprint.h). */
    uint64_t fingerprints[POOL_WORKERS_MAX];
};

/* A connection that was handed to a worker which may pass it on to another program. The record
 * exists from before it is sent until it is over: with it, the kernel can be asked about the socket
 * even if the worker or the daemon has died. */
struct passed_record {
    uint64_t id; /* of the connection; 0: the record is free */
    char unit_name[40];
    struct socket_key key;
    struct address peer; /* the client as the service sees it; with a PROXY header the key has
                            another address */
    struct address local;
    uint64_t accepted_at; /* CLOCK_MONOTONIC */
    uint64_t handed_at;   /* likewise */
    int32_t worker_pid;
    bool is_tls;
    bool is_passed_on; /* another program was found to have it */
    uint16_t slot;     /* of the worker */
};

/* The most records, for all services. Unused memory takes no room. */
#define STATE_RECORDS_MAX 65536

struct state; /* the whole memory */

/* The most services, including those that are being removed. Unused memory takes no room. */
#define STATE_SERVICES_MAX 256

/* Returns 0 with *ret, which is freed by state_free(), or a negative errno. */
int state_new(struct state **ret);

/* Maps the state that a predecessor left. Takes over *fd (-1 afterwards). Returns 0, -EPROTO if its
 * layout differs, or another negative errno. */
int state_open(int *fd, struct state **ret);

void state_free(struct state *state);

/* The memory's descriptor, for the store; it stays the state's. */
int state_fd(const struct state *state);

/* Room for the service of that name, all zero; NULL if there are too many services. */
struct service_state *state_claim(struct state *state, const char *unit_name);

/* The service does not exist any more. */
void state_release(struct service_state *service);

/* From now on changes are private: a successor finds the state as it is now. Returns 0 or a
 * negative errno. */
int state_detach(struct state *state);

/* The state of the service of that name, or NULL. */
const struct service_state *state_find(const struct state *state, const char *unit_name);

/* Continues, from `now` on (CLOCK_MONOTONIC, in microseconds), the statistics of services that both
 * states have, and the identifiers of connections. */
void state_inherit(struct state *state, const struct state *old, uint64_t now);

/* Where the next connection's identifier is kept. */
uint64_t *state_next_connection_id(struct state *state);

/* A record for that connection, which the caller fills and then completes by state_keep_record(),
 * which writes the identifier. NULL if all are in use. */
struct passed_record *state_claim_record(struct state *state);
void state_keep_record(struct passed_record *record, uint64_t id);
void state_release_record(struct state *state, struct passed_record *record);

/* Records from this number on have never been used. */
unsigned state_n_records(const struct state *state);
struct passed_record *state_record(const struct state *state, unsigned i);
unsigned state_record_number(const struct state *state, const struct passed_record *record);
