/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Limits that hold over all hosts of a fleet (dispatcher.cnf(5), FLEET): connects the ledger with
 * the store, and watches that connection.
 *
 * A decision is made by the throttle's table, in which own counts and those of the others stand
 * side by side. It waits for the store only if FLEET_WAIT says so, and no longer than that. */
#pragma once

#include "base/str.h"
#include "base/timer.h"
#include "dispatcherd/fleet/ledger.h"
#include "dispatcherd/fleet/link.h"
#include "dispatcherd/fleet/waits.h"
#include "statistics/alert.h"

#include <stdbool.h>

struct context;
struct fleet;

struct fleet_settings {
    const struct str_list *stores;
    const char *name;   /* NULL: derived from the machine's identifier */
    uint64_t wait_usec; /* 0: decisions do not wait */
    bool has_addresses; /* MAX_CONNS_PER_ADDRESS holds over the fleet, too */
};

/* Begins to connect. `context` and `throttle` outlive it; the context is notified of changes.
 * Returns 0 with *ret, which the caller frees, or a negative errno. */
int fleet_new(struct context *context, struct throttle *throttle,
              const struct fleet_settings *settings, struct fleet **ret);

/* NULL does nothing. */
void fleet_free(struct fleet *fleet);

/* Whether it was made with these. */
bool fleet_has(const struct fleet *fleet, const struct fleet_settings *settings);

/* A connection was counted. */
void fleet_note(struct fleet *fleet, const struct throttle_view *view);

/* A source has `own` connections with the service here, of at most `limit`; 0: unlimited. Does
 * nothing without FLEET_ADDRESSES. */
void fleet_note_open(struct fleet *fleet, const char *service, const struct source *source,
                     uint32_t own, uint32_t limit);

/* How many connections with the service the address has at the other hosts; *ret_at is when that
 * was learned, 0: nothing is known. */
uint32_t fleet_elsewhere(struct fleet *fleet, const char *service, const struct address *address,
                         uint64_t now, uint64_t *ret_at);

/* The same as fleet_note(). If the decision waits for the store, returns true, and calls
 * wait->decided later. */
bool fleet_note_and_wait(struct fleet *fleet, const struct throttle_view *view,
                         struct fleet_wait *wait);

const struct alert *fleet_alert(const struct fleet *fleet);

/* Describes the present state as a sentence: "the store unix:/run/redis.sock is away: ...". */
void fleet_describe(const struct fleet *fleet, struct str_buffer *text);

struct fleet_figures {
    const char *name;  /* of this host */
    const char *store; /* the address in use, or tried last */
    bool is_up;
    const char *reason;   /* why it was away the last time; "": it never was */
    uint64_t since;       /* CLOCK_MONOTONIC */
    uint64_t answered_at; /* likewise: when the store has last answered; 0: it has not yet */
    uint64_t wait_usec;   /* of the settings, as is the next */
    bool has_addresses;
    uint64_t n_owed; /* keys */
    uint64_t n_left_out;
    uint64_t n_addresses;     /* whose open connections are known */
    uint64_t n_waits;         /* decisions that waited */
    uint64_t n_waits_in_vain; /* of these, for too long */
    struct fleet_link_figures link;
};

void fleet_figures(const struct fleet *fleet, uint64_t now, struct fleet_figures *ret);
