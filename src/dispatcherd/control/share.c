/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/control/share.h"

#include "base/event_source.h"
#include "base/macro.h"
#include "base/time.h"
#include "base/timer.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

/* The longest rest, however long a turn was: the machine may have been suspended, or the processor
 * busy. */
#define REST_MAX_USEC (200 * USEC_PER_MSEC)

#define ACCURACY_USEC 100

/* When to look at the inner loop again if the kernel cannot watch it (epoll_ctl(2)). */
#define LOOK_AGAIN_USEC (100 * USEC_PER_MSEC)

enum share_state {
    SHARE_WATCHING,
    SHARE_READY,
    SHARE_TURN,
    SHARE_RESTING,
};

struct control_share {
    struct control_share_settings settings;
    enum share_state state;
    bool has_more;          /* sources are due that the inner loop's descriptor does not show */
    sd_event *inner;        /* owned */
    sd_event_source *watch; /* on the inner loop's descriptor */
    sd_event_source *turn;  /* runs when the outer loop has nothing else to do */
    struct timer timer; /* the end of patience or of the rest; or the next look, without `watch` */
};

static void set_state(struct control_share *share, enum share_state state, uint64_t timer_usec)
{
    share->state = state;
    int r = sd_event_source_set_enabled(share->watch,
                                        state == SHARE_WATCHING ? SD_EVENT_ON : SD_EVENT_OFF);
    if (r < 0 && state == SHARE_WATCHING)
        timer_usec = LOOK_AGAIN_USEC;
    if (state == SHARE_READY)
        event_source_defer(share->turn);
    else
        event_source_off(share->turn);
    /* Counts from now on, not from when the loop woke up, so that the turn is no part of the rest.
     */
    if (timer_usec > 0)
        timer_set_in(&share->timer, timer_usec);
    else
        timer_stop(&share->timer);
}

static void become_ready(struct control_share *share)
{
    set_state(share, SHARE_READY, share->settings.patience_usec);
}

static void become_calm(struct control_share *share)
{
    if (share->has_more)
        become_ready(share);
    else
        set_state(share, SHARE_WATCHING, 0);
}

static void rest(struct control_share *share, uint64_t turn_usec)
{
    uint64_t rest_usec = turn_usec * share->settings.rest_factor;

    if (rest_usec > REST_MAX_USEC)
        rest_usec = REST_MAX_USEC;
    if (rest_usec > 0)
        set_state(share, SHARE_RESTING, rest_usec);
    else
        become_calm(share);
}

static void take_turn(struct control_share *share)
{
    uint64_t from = time_now_usec(CLOCK_THREAD_CPUTIME_ID), spent_usec;
    unsigned n = 0;
    int r;

    share->state = SHARE_TURN;
    share->has_more = false;
    do {
        r = sd_event_run(share->inner, 0);
        n += r > 0;
        spent_usec = time_now_usec(CLOCK_THREAD_CPUTIME_ID) - from;
    } while (r > 0 && spent_usec < share->settings.turn_usec);
    share->has_more = share->has_more || r > 0;
    if (n > 0)
        rest(share, spent_usec);
    else
        become_calm(share);
}

static int on_due(_unused_ sd_event_source *source, _unused_ int fd, _unused_ uint32_t events,
                  void *userdata)
{
    become_ready(userdata);
    return 0;
}

static int on_turn(_unused_ sd_event_source *source, void *userdata)
{
    take_turn(userdata);
    return 0;
}

static void on_timer(void *userdata)
{
    struct control_share *share = userdata;

    if (share->state == SHARE_READY)
        take_turn(share);
    else if (share->state == SHARE_RESTING)
        become_calm(share);
    else if (share->state == SHARE_WATCHING)
        become_ready(share);
}

static int add_sources(struct control_share *share, sd_event *event)
{
    int r = sd_event_add_io(event, &share->watch, sd_event_get_fd(share->inner), EPOLLIN, on_due,
                            share);
    if (r >= 0)
        r = sd_event_add_defer(event, &share->turn, on_turn, share);
    if (r >= 0)
        r = sd_event_source_set_priority(share->turn, SD_EVENT_PRIORITY_IDLE);
    if (r >= 0)
        r = timer_init(&share->timer, event, ACCURACY_USEC, on_timer, share);
    return r;
}

int control_share_new(sd_event *event, const struct control_share_settings *settings,
                      struct control_share **ret)
{
    struct control_share *share = calloc(1, sizeof(*share));

    if (!share)
        return -ENOMEM;
    share->settings = *settings;
    int r = sd_event_new(&share->inner);
    if (r >= 0)
        r = add_sources(share, event);
    if (r < 0) {
        control_share_free(share);
        return r;
    }
    become_ready(share);
    *ret = share;
    return 0;
}

sd_event *control_share_event(const struct control_share *share)
{
    return share->inner;
}

void control_share_touch(struct control_share *share)
{
    if (!share)
        return;
    if (share->state == SHARE_WATCHING)
        become_ready(share);
    else
        share->has_more = true;
}

void control_share_free(struct control_share *share)
{
    if (!share)
        return;
    sd_event_source_disable_unref(share->watch);
    sd_event_source_disable_unref(share->turn);
    timer_clear(&share->timer);
    sd_event_unref(share->inner);
    free(share);
}
