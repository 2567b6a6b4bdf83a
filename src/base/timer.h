/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Timers of an event loop (sd-event(3)), by CLOCK_MONOTONIC. A timer is made once, with its owner,
 * and is silent until it is set; it rings once, and may be set again. Making it can fail for lack
 * of memory or of a descriptor; setting it cannot. So an owner that relies on a time limit fails
 * when it is made, and not in the middle of its work.
 *
 * Only for programs with libsystemd: libdispatcher does without. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

/* Part of its owner, and never moved: the event loop points to it. All zero before timer_init() and
 * after timer_clear(); setting it then does nothing. */
struct timer {
    sd_event_source *source; /* owned; NULL: not made */
    uint64_t at;             /* when it rings; USEC_INFINITY: it is silent */
    void (*ring)(void *userdata);
    void *userdata;
};

/* Makes the timer, which is silent. `ring` may set the timer, and free its owner. It is called up
 * to `accuracy_usec` (at least 1) late, so that several timers can share one wake-up. Returns 0 or
 * a negative errno, with the timer as it was. */
int timer_init(struct timer *timer, sd_event *event, uint64_t accuracy_usec,
               void (*ring)(void *userdata), void *userdata);

/* May be called twice, and for a timer that was never made. */
void timer_clear(struct timer *timer);

/* Makes it ring at that time instead of an earlier setting; USEC_INFINITY: not at all. If the time
 * is past, it rings in the loop's next round. */
void timer_set_at(struct timer *timer, uint64_t at_usec);

/* The same, relative to now. */
void timer_set_in(struct timer *timer, uint64_t usec);

/* Makes it ring earlier, never later. Cheap if nothing changes: a timer that rings early in vain
 * often costs less than moving it each time. */
void timer_set_no_later(struct timer *timer, uint64_t at_usec);

void timer_stop(struct timer *timer);

/* Sets how late it may ring from now on, in microseconds, at least 1. */
void timer_set_accuracy(struct timer *timer, uint64_t accuracy_usec);

/* Whether it will ring. */
bool timer_is_set(const struct timer *timer);

/* Whether timer_init() has made it. */
bool timer_is_made(const struct timer *timer);
