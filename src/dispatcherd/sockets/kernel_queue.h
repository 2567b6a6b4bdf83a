/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The kernel's queues of a service: clients that are connected, but not accepted yet. */
#pragma once

#include "dispatcherd/sockets/listening_socket.h"

/* About all listening sockets of a service; written by this module alone. */
struct backlog {
    bool is_left;           /* clients may have been there for longer than a moment */
    uint64_t accepts_since; /* 0: nothing is accepted */
    uint64_t since;         /* when clients were first found there; 0: none were */
    uint64_t look_at;       /* not before this; see queue_watch() */
    uint64_t n_clients;     /* how many there were at the last look */
    uint64_t n_crowd;       /* the most that were there since queue_take_crowd() */
    uint64_t crowd_look_at; /* not before this; see queue_note_crowd() */
};

/* For a new service: clients may have been there before the daemon started. */
void queue_init(struct backlog *backlog);

/* The queue of one listening socket. All 0 if the kernel does not know: for a Unix socket. */
struct queue_depth {
    uint64_t n_waiting;
    uint64_t limit;     /* BACKLOG as limited by the kernel (net.core.somaxconn) */
    uint64_t n_dropped; /* by the kernel since the socket was made, because the queue was full */
};

struct queue_depth queue_look(const struct listener *listener);

/* To be called after each round of the service's work: notes since when its queues are not empty.
 * If `is_accepting`, they have just been emptied; otherwise they are looked at once in a while.
 * Returns when to call it again; USEC_INFINITY: only after a change. */
uint64_t queue_watch(struct backlog *backlog, struct listener listeners[], size_t n_listeners,
                     bool is_accepting, uint64_t now);

/* Counts the clients in the queues before they are accepted. queue_watch(), which looks once a
 * second, may have seen none of them. */
void queue_note_crowd(struct backlog *backlog, const struct listener listeners[],
                      size_t n_listeners, uint64_t now);

/* The most clients that were there since the last call. */
uint64_t queue_take_crowd(struct backlog *backlog);

/* Since when, at least, the client that has waited longest has been in a queue. 0 if there is none,
 * or if that is unknown: after one was accepted, whose own waiting time is known (queue_time()). */
uint64_t queue_stuck_since(const struct listener listeners[], size_t n_listeners);

/* How long a connection that was just accepted was in the queue, in microseconds, counted from the
 * end of its handshake. 0 if that was a moment, or if the kernel does not know. Nothing may have
 * been sent on the connection. */
uint64_t queue_time(struct backlog *backlog, int fd, uint64_t now);
