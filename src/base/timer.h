/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Timers of an event loop (sd-event(3)), by CLOCK_MONOTONIC. A timer is made once, with its owner,
 * and is silent until it is set; it rings once, and may be set again as often as wanted. Making it
 * can fail, for lack of memory or of a descriptor; setting it cannot. So whoever relies on a limit
 * finds out when its owner is made that there is none, and not in the middle of things.
 *
 * For users of libsystemd alone: libdispatcher is none. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

/* Part of its owner, at one address for all its life: the event loop points to it. All zero before
 * timer_init() and after timer_clear(): setting it does nothing then. */
struct timer {
    sd_event_source *source; /* owned; NULL: not made */
    uint64_t at;             /* when it rings; USEC_INFINITY: it is silent */
    void (*ring)(void *userdata);
    void *userdata;
};

/* Makes the timer, which is silent. `ring` may set the timer, and free its owner. It comes up to
 * `accuracy_usec` late, so that several can share one wake-up; at least 1. Returns 0 or a negative
 * errno; the timer is as before then. */
int timer_init(struct timer *timer, sd_event *event, uint64_t accuracy_usec,
               void (*ring)(void *userdata), void *userdata);

/* May be cleared twice, and without having been made. */
void timer_clear(struct timer *timer);

/* Has it ring at that time, and not when it was to ring before; USEC_INFINITY: not at all. A time
 * that is past is now: it rings in the loop's next round. */
void timer_set_at(struct timer *timer, uint64_t at_usec);

/* Likewise, so long from now. */
void timer_set_in(struct timer *timer, uint64_t usec);

/* Lets it ring earlier, never later. Cheap if there is nothing to change: one that comes too early
 * for nothing often costs less than to move it each time. */
void timer_set_no_later(struct timer *timer, uint64_t at_usec);

void timer_stop(struct timer *timer);

/* Whether it is going to ring. */
bool timer_is_set(const struct timer *timer);

/* Whether it would ring if it were set. */
bool timer_is_made(const struct timer *timer);
