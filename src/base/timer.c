/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "base/timer.h"

#include "base/event_source.h"
#include "base/macro.h"
#include "base/time.h"

/* `ring` may free the owner. */
static int on_time(_unused_ sd_event_source *source, _unused_ uint64_t usec, void *userdata)
{
    struct timer *timer = userdata;

    timer->at = USEC_INFINITY;
    timer->ring(timer->userdata);
    return 0;
}

int timer_init(struct timer *timer, sd_event *event, uint64_t accuracy_usec,
               void (*ring)(void *userdata), void *userdata)
{
    sd_event_source *source = NULL;
    int r = sd_event_add_time(event, &source, CLOCK_MONOTONIC, USEC_INFINITY, accuracy_usec,
                              on_time, timer);

    if (r < 0)
        return r;
    event_source_off(source);
    *timer = (struct timer){
        .source = source,
        .at = USEC_INFINITY,
        .ring = ring,
        .userdata = userdata,
    };
    return 0;
}

void timer_clear(struct timer *timer)
{
    sd_event_source_disable_unref(timer->source);
    *timer = (struct timer){0};
}

/* These results can be ignored: a timer that exists has its place among the loop's timers, and
 * moving it needs neither memory nor a system call. The calls fail only in a loop that has ended,
 * in which nothing rings, or in another process (sd_event_source_set_time(3)). */
void timer_set_at(struct timer *timer, uint64_t at_usec)
{
    if (!timer->source)
        return;
    timer->at = at_usec;
    (void)sd_event_source_set_time(timer->source, at_usec);
    (void)sd_event_source_set_enabled(timer->source,
                                      at_usec == USEC_INFINITY ? SD_EVENT_OFF : SD_EVENT_ONESHOT);
}

void timer_set_in(struct timer *timer, uint64_t usec)
{
    timer_set_at(timer, time_add_usec(time_now_usec(CLOCK_MONOTONIC), usec));
}

void timer_set_no_later(struct timer *timer, uint64_t at_usec)
{
    if (at_usec < timer->at)
        timer_set_at(timer, at_usec);
}

void timer_stop(struct timer *timer)
{
    timer_set_at(timer, USEC_INFINITY);
}

void timer_set_accuracy(struct timer *timer, uint64_t accuracy_usec)
{
    if (timer->source)
        (void)sd_event_source_set_time_accuracy(timer->source, accuracy_usec);
}

bool timer_is_set(const struct timer *timer)
{
    return timer->source && timer->at != USEC_INFINITY;
}

bool timer_is_made(const struct timer *timer)
{
    return timer->source;
}
