/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* An event loop within the daemon's, for what must not hold up the rest: all that its sources do,
 * together, gets a share of the time.
 *
 *     WATCHING --(a source is due, or share_touch())--> READY
 *     READY    --(the daemon has nothing else to do, or patience has run out)--> TURN
 *     TURN     --(a source was dispatched)--> RESTING     --(nothing was due)--> WATCHING
 *     RESTING  --(rest over; more is due)--> READY        --(nothing is)--> WATCHING
 *
 * A turn dispatches sources, one after another, until its time is up: so a single callback is all
 * that can exceed it. Sources without a time limit of their own are at the mercy of the others. */
#pragma once

#include <stdint.h>
#include <systemd/sd-event.h>

struct control_share; /* opaque */

struct control_share_settings {
    uint64_t turn_usec;     /* after this, a turn dispatches no further source */
    unsigned rest_factor;   /* the rest after a turn is this many times as long as the turn */
    uint64_t patience_usec; /* how long other sources of the daemon may go first */
};

/* Makes a share of the loop `event`. Returns 0 or a negative errno. */
int control_share_new(sd_event *event, const struct control_share_settings *settings,
                      struct control_share **ret);

/* The loop to add sources to. */
sd_event *control_share_event(const struct control_share *share);

/* To be called after sources were added or enabled outside their own callbacks: a turn will look at
 * them. NULL does nothing. */
void control_share_touch(struct control_share *share);

/* Must not be called from a callback of one of its sources. NULL does nothing. */
void control_share_free(struct control_share *share);
