/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Keeps the connections that wait longest in the service manager's store, so that the daemon's
 * death does not lose them: those that wait for a DNS list, which a successor checks anew, and
 * those that wait for a worker, or for what a worker would pass them to (readmit.h).
 *
 *      none -> waiting -> stored -> none
 *        |                  ^
 *        +------------------+  the predecessor had stored it
 *
 * All that a successor has to know is in the name of the stored descriptor. What PORT_ACCESS has
 * left for the worker has no room there, so a connection that has such texts is checked anew, too.
 * Bounded: at most CONNECTIONS_STORED_MAX are stored while the daemon runs (fewer if workers need
 * the room), CHECKS_STORED_MAX of them for a check; CONNECTIONS_LEFT_MAX when it leaves. */
#pragma once

#include "dispatcherd/store/stored_name.h"

#include <stdint.h>
#include <sys/queue.h>
#include <systemd/sd-event.h>

/* A wait that takes no longer is not worth the messages. */
#define CONNECTION_STORE_AFTER_USEC UINT64_C(100000)

/* Of those whose checks wait. */
#define CHECKS_STORED_MAX 64

/* Of all. Unless workers need the room, the others are not fewer than policy.h lets wait for a
 * server that takes none: POLICY_PUT_OFF_MAX. */
#define CONNECTIONS_STORED_MAX 320

/* Bytes of the longest name, "wait.1.SERVICE.ID.TLS.PEER.LOCAL.ACCEPTED", and its separator. */
#define CONNECTION_NAME_BYTES 184

/* What the service manager's queue of messages holds, and well below FileDescriptorStoreMax=. */
#define CONNECTIONS_LEFT_MAX 512

struct connection;
struct connection_store;

enum stored_state {
    STORED_NOT,     /* and not about to be: zero, as all of a new connection */
    STORED_WAITING, /* for CONNECTION_STORE_AFTER_USEC to pass, or for a place */
    STORED,
};

/* Part of a connection. */
struct stored_connection {
    TAILQ_ENTRY(connection) link; /* while waiting */
    uint64_t since : 56;          /* CLOCK_MONOTONIC, in microseconds */
    enum stored_state state : 4;
    enum stored_kind kind : 4;
};

/* Stores nothing until it is opened, which is done if there will be a successor. `event` is kept
 * referenced. Returns 0 with *ret, or a negative errno. */
int connection_store_new(sd_event *event, struct connection_store **ret);

/* Opens it for `max` connections, CONNECTIONS_STORED_MAX at the most; or changes their number,
 * which takes none out. */
void connection_store_open(struct connection_store *store, size_t max);

/* The daemon has left its connections to a successor: nothing is taken out any more when they are
 * freed, since workers may still put off those that they are being offered. */
void connection_store_left(struct connection_store *store);

/* Frees it; what is stored stays stored. NULL does nothing. */
void connection_store_free(struct connection_store *store);

/* The connection waits for a DNS list, or for a worker, from now on. Does nothing if it did before,
 * or if its context has no store; so do the next two. */
void connection_store_enter(struct connection *connection, enum stored_kind kind);

/* The same for one that waits for a worker again, and is stored at once if possible. */
void connection_store_enter_now(struct connection *connection);

/* The predecessor has stored it already. */
void connection_store_adopt(struct connection *connection, enum stored_kind kind);

/* It waits no longer: takes it out of the store. */
void connection_store_leave(struct connection *connection);

/* The daemon leaves: sees to it that a connection that has waited is stored, and leaves it there.
 * Returns false if it is not. */
bool connection_store_keep(struct connection *connection);
