/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* One client of the control socket: its calls are answered one after another, the next only when
 * the last reply is gone, and after the others had their turn. */
#pragma once

#include "base/timer.h"
#include "dispatcherd/control/methods.h"
#include "dispatcherd/control/share.h"
#include "dispatcherd/report/events.h"
#include "varlink/frames.h"

#include <stdbool.h>
#include <sys/queue.h>
#include <systemd/sd-event.h>

/* What we wait for. Each but the first has a time limit. */
enum control_wait {
    CONTROL_WAIT_NOTHING, /* it follows events, or a call is to be answered */
    CONTROL_WAIT_CALL,
    CONTROL_WAIT_MESSAGE, /* the rest of a call */
    CONTROL_WAIT_READER,  /* that it reads its reply */
};

struct control_limits {
    uint64_t call_usec;    /* from one reply to the next call */
    uint64_t message_usec; /* for a call to arrive, from its first byte to its last */
    uint64_t reader_usec;  /* for a reply to be read */
};

struct control_client {
    TAILQ_ENTRY(control_client) link;

    /* Called when the client is over; frees it. */
    void (*gone)(struct control_client *client);
    void *owner; /* of gone() */

    const struct control_operations *operations;
    void *userdata;              /* of the operations */
    struct control_share *share; /* of the loop: all of the client runs there */
    int64_t priority;            /* within the share, as of sd_event_source_set_priority(3) */
    struct control_limits limits;
    int fd; /* owned */
    struct control_caller caller;
    struct varlink_frames frames;
    struct follower follower;
    char *events; /* owned: replies of a follower, events_size bytes in room for events_capacity */
    size_t events_size;
    size_t events_capacity;
    uint64_t n_lost_events; /* for lack of room, not yet told */
    char *reply;            /* owned; reply_size bytes, of which n_sent are gone; NULL: none */
    size_t reply_size;
    size_t n_sent;
    bool has_ended; /* it sends no more */
    bool has_calls; /* that are to be answered after the others had their turn */
    enum control_wait wait;
    uint64_t n_answered; /* calls */
    uint64_t moved_at;   /* when it sent or read anything last; CLOCK_MONOTONIC */
    sd_event_source *io_source;
    sd_event_source *again_source; /* for has_calls */
    struct timer limit;            /* of `wait` */
};

TAILQ_HEAD(control_client_list, control_client);

/* Begins to serve a client whose fields up to `caller` are set; the rest is zero. Returns 0 or a
 * negative errno. */
int control_client_start(struct control_client *client);

/* True if nothing is to be done for the client until it does something: it sends no call, or does
 * not read its reply. One that follows events is never idle. */
bool control_client_is_idle(const struct control_client *client);

/* Frees it and closes its connection. Does not call gone(). */
void control_client_free(struct control_client *client);
