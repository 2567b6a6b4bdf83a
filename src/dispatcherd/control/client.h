/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* A client of the control socket. Its calls are answered one after another: the next one when the
 * last reply is sent, and the other clients have had their turn. */
#pragma once

#include "base/timer.h"
#include "dispatcherd/control/methods.h"
#include "dispatcherd/control/share.h"
#include "dispatcherd/report/events.h"
#include "varlink/frames.h"

#include <stdbool.h>
#include <sys/queue.h>
#include <systemd/sd-event.h>

/* What is awaited from the client. All but the first have a time limit. */
enum control_wait {
    CONTROL_WAIT_NOTHING, /* it follows events, or a call is about to be answered */
    CONTROL_WAIT_CALL,
    CONTROL_WAIT_MESSAGE, /* the rest of a call */
    CONTROL_WAIT_READER,  /* that it reads its reply */
};

struct control_limits {
    uint64_t call_usec;    /* between a reply and the next call */
    uint64_t message_usec; /* for a whole call, from its first byte on */
    uint64_t reader_usec;  /* for reading a reply */
};

struct control_client {
    TAILQ_ENTRY(control_client) link;

    /* Called when the client is done; must free it. */
    void (*gone)(struct control_client *client);
    void *owner; /* for gone() */

    const struct control_operations *operations;
    void *userdata;              /* for the operations */
    struct control_share *share; /* the part of the loop in which everything of this client runs */
    int64_t priority;            /* within the share, as of sd_event_source_set_priority(3) */
    struct control_limits limits;
    int fd; /* owned */
    struct control_caller caller;
    struct varlink_frames frames;
    struct follower follower;
    char *events; /* owned: replies to a follower, events_size bytes of events_capacity */
    size_t events_size;
    size_t events_capacity;
    uint64_t n_lost_events; /* dropped for lack of room, and not yet reported */
    char *reply;            /* owned; of reply_size bytes n_sent are sent; NULL: none */
    size_t reply_size;
    size_t n_sent;
    bool has_ended; /* it will send nothing more */
    bool has_calls; /* that will be answered after the others' turn */
    enum control_wait wait;
    uint64_t n_answered; /* calls */
    uint64_t moved_at;   /* when it last sent or read anything; CLOCK_MONOTONIC */
    sd_event_source *io_source;
    sd_event_source *again_source; /* for has_calls */
    struct timer limit;            /* for `wait` */
};

TAILQ_HEAD(control_client_list, control_client);

/* Begins to serve a client whose fields up to `caller` are set; the others are zero. Returns 0 or a
 * negative errno. */
int control_client_start(struct control_client *client);

/* True if the next move is the client's: it sends no call, or does not read its reply. A client
 * that follows events is never idle. */
bool control_client_is_idle(const struct control_client *client);

/* Sends what is pending, as far as there is room at once. For the daemon's end, when the loop no
 * longer runs. */
void control_client_flush(struct control_client *client);

/* Frees it and closes its connection. Does not call gone(). */
void control_client_free(struct control_client *client);
