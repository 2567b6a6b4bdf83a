/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* A connection between accept and its end, and the one table of its states.
 *
 *                                     adopted with its worker
 *                                                |
 *                                                v
 *      accept -> checking -> waiting -> hand-off -> active -> closed
 *                   |        ^  ^  |        |         |  ^
 *                   v        |  |  v        |         v  |  adopted; its worker still has it
 *                 closed     |  | closed    |      passed on -> closed
 *                            |  +-----------+
 *                            |    the worker refused it, or died
 *                            +-- from active and passed on: the worker puts it back
 *
 * Until the worker has acknowledged it, the daemon holds its own copy of the socket: a worker
 * that dies before that costs nothing. */
#pragma once

#include "access/addresses.h"
#include "base/address.h"
#include "dispatcherd/core/connection_store.h"
#include "statistics/history.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

struct passed_record;
struct service;
struct worker;

enum __attribute__((packed)) connection_state {
    CONNECTION_ACCEPTED,  /* new; not counted anywhere yet */
    CONNECTION_CHECKING,  /* access control checks it; it has no place in a worker */
    CONNECTION_WAITING,   /* until a worker is chosen */
    CONNECTION_HANDOFF,   /* sent to a worker, not yet acknowledged */
    CONNECTION_ACTIVE,    /* the worker has it; our copy of the descriptor is closed */
    CONNECTION_PASSED_ON, /* the worker has given it to another program: passed_on.h */
    CONNECTION_CLOSED,    /* ended, and about to be freed */
    N_CONNECTION_STATES
};

const char *connection_state_to_string(enum connection_state state);

/* Each group of fields is written by the files that are named above it, as in struct service. There
 * may be 50,000 of them: small fields are together, so that none is followed by a gap. */
struct connection {
    /* core/connection.c, readmit.c */
    uint64_t id;
    bool is_readmitted; /* a predecessor accepted it: its addresses are known, and its descriptor is
                           stored */

    /* core/connection.c */
    bool is_tls;
    bool is_adopted;        /* an earlier dispatcherd handed it to its worker */
    bool is_watched;        /* core/passed_on.c */
    struct counted counted; /* whether it is counted for its address and network: addresses.h */
    enum connection_state state;
    int fd; /* owned; -1 once active. Passed on: a copy while it is not known whether it was */
    uint32_t
        queued_usec; /* time in the kernel's queue before accept: an estimate (kernel_queue.h) */
    struct service *service;
    TAILQ_ENTRY(connection) queue_link; /* while it waits; or while passed_on.c watches it */
    struct address peer;
    struct address local;
    uint64_t accepted_at;   /* all CLOCK_MONOTONIC, in microseconds */
    uint64_t waiting_since; /* when it began to wait for a worker; 0: it has not yet */
    uint64_t handed_at;
    char *tag;  /* for the worker: text after $Y in PORT_ACCESS; owned; NULL: none */
    char *note; /* kept with it: text after "||"; likewise */

    /* core/worker.c */
    struct worker *worker; /* in hand-off and active */

    /* messages/tls.c */
    struct history_tls *tls; /* owned; NULL: none was reported */

    /* checks/identity.c */
    char *ident_user;                    /* owned; NULL: not asked for, or not known */
    struct ident_request *ident_request; /* under way; owned */

    /* core/connection.c, checks/hangup.c */
    sd_event_source *hangup_source; /* while waiting, if it is watched */

    /* core/connection_store.c */
    struct stored_connection stored; /* while it waits for long */

    /* core/passed_on.c, core/connection.c */
    struct passed_record *record; /* while it is, or may be, passed on */
    uint64_t asked_at;            /* passed on: when the kernel was last asked about its socket */
};

/* Beyond this, malloc() would give each of them 16 bytes more. */
static_assert(sizeof(struct connection) <= 216, "size of struct connection");

TAILQ_HEAD(connection_queue, connection);

/* Makes a connection of `service` in state accepted, and takes over *fd (-1 afterwards). Returns
 * NULL when out of memory; *fd is still the caller's then. */
struct connection *connection_new(struct service *service, int *fd, uint64_t now);

/* Makes a connection that an adopted worker reports as its own: it is active from the start.
 * Returns NULL when out of memory. */
struct connection *connection_adopt(struct worker *worker, uint64_t id, uint64_t accepted_at);

/* Each moves the connection to another state, and updates the pool's counters, the waiting queue
 * and the worker's list. It asserts that the table allows the transition. */
void connection_check(struct connection *connection);
void connection_wait(struct connection *connection, uint64_t now);

/* From hand-off back to waiting, before the message was sent to the worker. This is no failed
 * hand-off, and it goes to the front of the queue. */
void connection_take_back(struct connection *connection, uint64_t now);
void connection_hand_off(struct connection *connection, struct worker *worker, uint64_t now);
void connection_activate(struct connection *connection, uint64_t now);

/* From active: the worker has given it to another program. Only passed_on.c calls this and the next
 * one. */
void connection_pass_on(struct connection *connection, uint64_t now);

/* Back to active: an adopted worker reports that it still has the connection. */
void connection_take_up(struct connection *connection, struct worker *worker);

/* From active or passed on back to waiting, since what it was to be passed to has not taken it:
 * takes over *fd (-1 afterwards), a descriptor of its socket, unless it has a copy. It waits where
 * it would if it had never left. */
void connection_put_back(struct connection *connection, int *fd, uint64_t now);

/* Makes a new connection wait that a predecessor has admitted and stored (connection_store.h);
 * `is_readmitted` is set. */
void connection_readmit(struct connection *connection, uint64_t accepted_at);

/* Passed on, or perhaps not: takes over *fd (-1 afterwards), which a predecessor has stored as that
 * `kind`, until that is known; then drops it. passed_on.c alone calls these two. */
void connection_keep_copy(struct connection *connection, int *fd, enum stored_kind kind);
void connection_drop_copy(struct connection *connection, uint64_t now);

/* Makes a connection that was passed on while a predecessor ran. Returns NULL when out of memory.
 */
struct connection *connection_adopt_passed_on(struct service *service,
                                              struct passed_record *record);

/* Closes and frees it, in whatever state it is. */
void connection_close(struct connection *connection, uint64_t now);

/* Whether a worker has it, or a program to which a worker has passed it on; and the pid of that
 * worker, or 0. */
bool connection_is_handed(const struct connection *connection);
pid_t connection_worker_pid(const struct connection *connection);

/* Counts it for its address and its network until it is closed, unless it is counted already. Sets
 * how many connections they have, this one included; 0 if they cannot be counted. */
void connection_count(struct connection *connection, uint32_t *ret_of_address,
                      uint32_t *ret_of_network);

/* Sets the addresses of both ends, and whether it came to a TLS port. */
void connection_set_ends(struct connection *connection, const struct address *peer,
                         const struct address *local, bool is_tls);

/* Copies the texts that PORT_ACCESS has for it; "" means none. Without memory the text is lost. */
void connection_set_texts(struct connection *connection, const char *tag, const char *note);
