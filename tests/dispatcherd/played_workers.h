/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Workers that the test plays itself: the daemon starts them, and the test has the other end of
 * each channel. As far as the daemon can see, they are units, all with the pid of the test. */
#pragma once

#include "dispatcherd/process/spawner.h"
#include "protocol/message.h"

#include <stdalign.h>

#define PLAYED_WORKERS_MAX 16

/* Starts a played worker, or fails as played_workers_fail() says. */
extern const struct spawner played_spawner;

/* Forgets all that were started. */
void played_workers_clear(void);

/* From now on none can be started, for this reason; NULL: they can. */
void played_workers_fail(const char *reason);

/* How many starts there were, also those that failed. */
unsigned played_workers_n_starts(void);

/* How many are there. */
unsigned played_workers_n(void);

/* A packet from the daemon. */
struct played_packet {
    alignas(8) uint8_t bytes[MESSAGE_BYTES_MAX];
    struct message message;
    int fds[MESSAGE_FDS_MAX]; /* the caller's */
    size_t n_fds;
};

/* Takes the next packet that worker `i`, in the order of their starts, was sent. Returns its type;
 * 0 if there is none; -1 at the end of the channel. */
int played_worker_hears(unsigned i, struct played_packet *ret);

/* The same for a packet whose content does not matter. */
int played_worker_hears_type(unsigned i);

void played_worker_says_hello(unsigned i);
void played_worker_says_value(unsigned i, enum message_type type, uint32_t value);
void played_worker_says_ids(unsigned i, enum message_type type, const uint64_t *ids, size_t n);

/* HELLO, then WELCOME, then READY for so many connections; `run` runs the daemon's loop for as long
 * as there is something to do. */
void played_worker_gets_ready(unsigned i, uint32_t n, void (*run)(void));

/* Its process ends: the channel is closed. */
void played_worker_leaves(unsigned i);
