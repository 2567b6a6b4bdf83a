/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Keeps the connections that wait longest for a DNS list in the service manager's store, so that
 * the daemon's death does not lose them; a successor checks them anew (readmit.h).
 *
 *      none -> waiting -> stored -> none
 *        |                  ^
 *        +------------------+  the predecessor had stored it
 *
 * All that a successor has to know is in the name of the stored descriptor. Bounded: at most
 * CHECKS_STORED_MAX are stored while the daemon runs, CHECKS_LEFT_MAX when it leaves. */
#pragma once

#include "base/address.h"
#include "base/service_name.h"
#include "dispatcherd/store/store.h"

#include <stdint.h>
#include <sys/queue.h>
#include <systemd/sd-event.h>

/* An answer that takes no longer is not worth the messages. */
#define CHECKS_STORE_AFTER_USEC UINT64_C(100000)

#define CHECKS_STORED_MAX 64

/* What the service manager's queue of messages holds, and well below FileDescriptorStoreMax=. */
#define CHECKS_LEFT_MAX 512

struct connection;
struct checks_store;

/* What the name tells. */
struct stored_name {
    char unit_name[SERVICE_NAME_MAX + 1]; /* of the service */
    uint64_t id;                          /* of the connection */
    bool is_tls;
    struct address peer;
    struct address local;
};

enum stored_state {
    STORED_NOT,     /* and not about to be */
    STORED_WAITING, /* for CHECKS_STORE_AFTER_USEC to pass, or for a place */
    STORED,
};

/* Part of a check; all zero at first. The check and its connection outlive it, until
 * checks_store_leave() or checks_store_keep(). */
struct stored_check {
    TAILQ_ENTRY(stored_check) link; /* while waiting */
    const struct connection *connection;
    enum stored_state state;
    uint64_t since; /* CLOCK_MONOTONIC, in microseconds */
};

/* Writes "check.1.SERVICE.ID.TLS.PEER.LOCAL". Returns `text`. */
const char *stored_name_format(const struct stored_name *name, char text[STORE_NAME_MAX]);

/* Takes such a name apart. Returns false if it is none. */
bool stored_name_parse(const char *text, struct stored_name *ret);

/* Nothing is stored until it is opened, which it is if there will be a successor. `event` is
 * kept referenced. Returns 0 with *ret, or a negative errno. */
int checks_store_new(sd_event *event, struct checks_store **ret);
void checks_store_open(struct checks_store *store);

/* NULL does nothing. What is stored stays there. */
void checks_store_free(struct checks_store *store);

/* The connection waits for a DNS list from now on. Does nothing if it did before. */
void checks_store_enter(struct checks_store *store, struct stored_check *check,
                        const struct connection *connection);

/* The predecessor has stored it already. */
void checks_store_adopt(struct checks_store *store, struct stored_check *check,
                        const struct connection *connection);

/* Its check is over: takes it out of the store. */
void checks_store_leave(struct checks_store *store, struct stored_check *check);

/* The daemon leaves: sees to it that a connection that has waited for a list is stored, and leaves
 * it there. Returns false if it is not. */
bool checks_store_keep(struct checks_store *store, struct stored_check *check);
