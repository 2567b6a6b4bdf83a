/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The connection to the store of a fleet: one, without ever blocking. Its states:
 *
 *      down -> connecting -> greeting -> up
 *       ^                                |
 *       +---- late, lost, or garbage ----+
 *
 * A connection that is not made, or an answer that has not come, within 50 ms ends it: nothing is
 * queued, and the next attempt is made when the breaker says so, at the next address of FLEET. In
 * greeting, the password and the script go to the store. MOVED, by which a cluster names the node
 * that has the keys, leads there at once; so does a name that has got another address. */
#pragma once

#include "base/str.h"
#include "dispatcherd/fleet/ledger.h"

#include <stdint.h>
#include <systemd/sd-event.h>

#define FLEET_LINK_DEADLINE_USEC (50 * UINT64_C(1000))

/* A reason with what the store says. */
#define FLEET_REASON_MAX 160

struct fleet_link;

struct fleet_link_settings {
    const struct str_list
        *stores;      /* "unix:/path", "192.0.2.1:6379" or "store.example:6379"; copied */
    const char *name; /* of this host; copied */
};

/* None may free the link. */
struct fleet_link_callbacks {
    void (*up)(void *userdata);   /* batches may be sent */
    void (*down)(void *userdata); /* it was up, or an attempt has failed */
    /* The answer to the oldest batch; valid during the call. Returns false if it does not fit,
     * which ends the connection. */
    bool (*answered)(const struct fleet_answer *answer, void *userdata);
    /* When the oldest batch without an answer was sent; UINT64_MAX: there is none. */
    uint64_t (*oldest)(void *userdata);
    void *userdata;
};

struct fleet_link_figures {
    uint64_t n_answers;
    uint64_t n_late;     /* answers and connections that did not come in time */
    uint64_t n_failures; /* of any kind, those among them */
    uint64_t n_bytes_sent;
    uint64_t n_bytes_received;
    uint64_t down_usec; /* how long there was no connection, up to now */
};

/* Begins to connect. Returns 0 with *ret, which the caller frees; -EOPNOTSUPP if dispatcherd was
 * built without it; or another negative errno. */
int fleet_link_new(sd_event *event, const struct fleet_link_settings *settings,
                   const struct fleet_link_callbacks *callbacks, struct fleet_link **ret);
void fleet_link_free(struct fleet_link *link);

/* Sends a batch, if the link is up. */
void fleet_link_send(struct fleet_link *link, const struct fleet_batch *batch);

bool fleet_link_is_up(const struct fleet_link *link);

/* Since when it is as it is; CLOCK_MONOTONIC. */
uint64_t fleet_link_since(const struct fleet_link *link);

/* The address that is used, or was tried last. */
const char *fleet_link_store(const struct fleet_link *link);

/* Why it went down the last time; "": it never did. */
const char *fleet_link_reason(const struct fleet_link *link);

void fleet_link_figures(const struct fleet_link *link, uint64_t now,
                        struct fleet_link_figures *ret);
