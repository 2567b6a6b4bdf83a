/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The kernel's queues of a service: clients that are connected, and that nobody has accepted yet.
 */
#pragma once

#include "dispatcherd/core/listening_socket.h"

/* Of one listening socket. All 0 if the kernel does not tell: for a Unix socket. */
struct queue_depth {
    uint64_t n_waiting;
    uint64_t limit;     /* BACKLOG, or what the kernel has made of it (net.core.somaxconn) */
    uint64_t n_dropped; /* by the kernel because the queue was full, since the socket was made */
};

struct queue_depth queue_look(const struct listener *listener);

/* After each round of the service's work: notes since when its queues are not empty. If
 * `is_accepting`, they have just been emptied; if not, it looks, every now and then. Returns
 * when to come again: USEC_INFINITY if there is nothing to watch. */
uint64_t queue_watch(struct service *service, bool is_accepting, uint64_t now);

/* Counts those who lie in the queues, before they are accepted: queue_watch(), which looks once a
 * second, may have seen none of them. */
void queue_note_crowd(struct service *service, uint64_t now);

/* Since when, at least, the client that has lain there longest does; 0: there is none, or that is
 * not known: one was just accepted, which itself tells how long it lay there. */
uint64_t queue_stuck_since(const struct service *service);

/* How long a connection that was just accepted lay in the queue, in microseconds: from the moment
 * when its handshake ended. 0 if the kernel does not tell. Nothing may have been sent on it. */
uint64_t queue_time(int fd);

/* Why the clients in the queues and in ours wait, or "": they do not, or not for long. */
const char *queue_cause(const struct service *service, uint64_t now);
