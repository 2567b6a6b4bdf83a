/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What every part of the daemon uses: the event loop, the spawner, and the source of identifiers.
 * There is one for the process; the manager makes it, and outlives all users. */
#pragma once

#include "base/siphash.h"
#include "dispatcherd/process/reserve.h"

#include <stdint.h>
#include <systemd/sd-event.h>

struct admission;
struct connection;
struct connection_store;
struct passed_on_watch;
struct recorder;
struct spawner;

struct context {
    /* Called after a service has handled a change, for things that concern the daemon as a whole.
     */
    void (*changed)(struct context *context);
    /* Called if it becomes known who uses a connection that a worker has. */
    void (*identified)(const struct connection *connection);
    sd_event *event;
    const struct spawner *spawner;
    struct siphash_key hash_key;       /* for hash tables whose keys strangers choose */
    struct admission *admission;       /* owned by the manager */
    const char *host_name;             /* this host's name, up to its first dot */
    uint32_t debug;                    /* the daemon's own mask */
    unsigned stop_limit_sec;           /* how long sessions may go on while the daemon stops */
    struct passed_on_watch *passed_on; /* owned by the manager; NULL: nothing is watched */
    struct connection_store *connection_store; /* likewise; NULL: nothing is stored */
    struct recorder *recorder;                 /* likewise; NULL: nothing is recorded */
    struct reserve reserve;                    /* descriptors reserved for the start of workers */
    uint64_t *next_connection_id;              /* in memory that survives the process; see
                                                  context_new_connection_id() */
};

/* Sets the first identifier if no predecessor has left one: its upper 32 bits are random, so that
 * identifiers are unique on this host for all practical purposes. */
void context_init_ids(struct context *context);

uint64_t context_new_connection_id(struct context *context);
