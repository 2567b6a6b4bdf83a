/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* A connection between accept and its end, and the one table of its states.
 *
 *                                     adopted with its worker
 *                                                |
 *                                                v
 *      accept -> checking -> waiting -> hand-off -> active -> closed
 *                   |           ^  |        |
 *                   v           |  v        v  worker refused it, or died
 *                 closed        | closed  waiting
 *                               +-----------+
 *
 * Until the worker has acknowledged it, the daemon holds its own copy of the socket: a worker
 * that dies before that costs nothing. */
#pragma once

#include "base/address.h"
#include "statistics/history.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <systemd/sd-event.h>

struct service;
struct worker;

enum connection_state {
    CONNECTION_ACCEPTED, /* just made: not yet counted anywhere */
    CONNECTION_CHECKING, /* access control looks at it; it holds no place in a worker */
    CONNECTION_WAITING,  /* for a worker to be chosen */
    CONNECTION_HANDOFF,  /* sent to a worker, not yet acknowledged */
    CONNECTION_ACTIVE,   /* the worker has it; our copy is closed */
    CONNECTION_CLOSED,   /* over, and about to be freed */
    N_CONNECTION_STATES
};

const char *connection_state_to_string(enum connection_state state);

struct connection {
    TAILQ_ENTRY(connection) waiting_link;
    struct service *service;
    struct worker *worker; /* in hand-off and active */
    enum connection_state state;
    bool is_tls;
    bool is_readmitted; /* a predecessor accepted it: its addresses are known, and it is stored */
    int fd;             /* owned; -1 once active */
    uint64_t id;
    struct address peer;
    struct address local;
    uint64_t accepted_at;   /* all CLOCK_MONOTONIC, in microseconds */
    uint64_t waiting_since; /* for a worker, the first time; 0: not yet */
    uint64_t handed_at;
    uint64_t
        queued_usec; /* before accept, in the kernel's queue: estimated (core/kernel_queue.h) */
    char ident_user[IDENT_USER_MAX + 1]; /* "": not asked for, or not known */
    struct ident_request *ident_request; /* under way; owned */
    char *tag;       /* for the worker: text after $Y in PORT_ACCESS; owned; NULL: none */
    char *note;      /* kept with it: text after "||"; likewise */
    bool is_counted; /* among the connections of its address */
    bool is_counted_of_network;     /* among those of its network */
    sd_event_source *hangup_source; /* while waiting, if a watch was asked for */
};

TAILQ_HEAD(connection_queue, connection);

/* Makes a connection of `service` in state accepted and takes over *fd (-1 afterwards). Returns
 * NULL when out of memory; *fd is still the caller's then. */
struct connection *connection_new(struct service *service, int *fd, uint64_t now);

/* Makes the connection that an adopted worker says it serves: it is active from the start. Returns
 * NULL when out of memory. */
struct connection *connection_adopt(struct worker *worker, uint64_t id, uint64_t accepted_at);

/* Each moves the connection on, and with it the pool's counters, the waiting queue and the
 * worker's list; asserts that the table allows it. */
void connection_check(struct connection *connection);
void connection_wait(struct connection *connection, uint64_t now);

/* From hand-off back to waiting, before its worker was told: no hand-off that failed. It waits
 * before all others. */
void connection_take_back(struct connection *connection, uint64_t now);
void connection_hand_off(struct connection *connection, struct worker *worker, uint64_t now);
void connection_activate(struct connection *connection, uint64_t now);

/* Closes and frees it, whatever its state. */
void connection_close(struct connection *connection, uint64_t now);

/* Counts it among the connections of its address and of its network, if that was not done yet,
 * until it is closed. Tells how many there are, it included; 0: they cannot be counted. */
void connection_count(struct connection *connection, uint32_t *ret_of_address,
                      uint32_t *ret_of_network);

/* Keeps copies of what PORT_ACCESS says of it; "" is nothing. Out of memory the text is lost. */
void connection_set_texts(struct connection *connection, const char *tag, const char *note);
