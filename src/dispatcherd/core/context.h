/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What every part of the daemon works with: the event loop, the way workers are started, and the
 * source of identifiers. One for the process; made by the manager, which outlives everybody. */
#pragma once

#include "base/siphash.h"
#include "dispatcherd/core/reserve.h"

#include <stdint.h>
#include <systemd/sd-event.h>

struct access;
struct spawner;

struct context {
    /* Called after a service has dealt with a change: for what concerns the daemon as a whole. */
    void (*changed)(struct context *context);
    sd_event *event;
    const struct spawner *spawner;
    struct siphash_key hash_key;  /* for tables of what strangers choose */
    struct access *access;        /* owned by the manager */
    const char *host_name;        /* this host's name up to its first dot */
    uint32_t debug;               /* the daemon's own mask */
    unsigned stop_limit_sec;      /* how long sessions may go on when the daemon stops */
    struct reserve reserve;       /* descriptors for the start of workers */
    uint64_t *next_connection_id; /* in what survives us; see context_new_connection_id() */
};

/* Sets the identifiers' start if no predecessor's is known: the upper 32 bits are random, so
 * that an identifier is unique on this host for all that matters. */
void context_init_ids(struct context *context);

uint64_t context_new_connection_id(struct context *context);
