/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What the files of the replay share. */
#pragma once

#include "access/addresses.h"
#include "access/throttle.h"
#include "simulate/happenings.h"
#include "simulate/memory.h"
#include "simulate/replay.h"

#define REPLAY_NOBODY UINT32_MAX

enum replayed_place {
    REPLAYED_QUEUED, /* by the kernel */
    REPLAYED_CHECKING,
    REPLAYED_WAITING, /* for a worker */
    REPLAYED_DONE,    /* a worker has or had it, or it was rejected, or its client has left */
};

/* A connection on its way. */
struct replayed {
    struct counted counted;
    enum replayed_place place;
    uint32_t next; /* in the queue that it is in */
    uint64_t accepted_at;
    uint64_t waiting_since; /* for a worker */
    uint64_t session_usec;
};

/* First come, first served: indexes of connections. Those that are done remain until their turn,
 * but are never taken. */
struct replay_queue {
    uint32_t first, last;
};

struct replay {
    const struct recording *recording;
    const struct recorded_service *service;
    const struct settings *settings;
    struct effective_settings effective;
    struct pool_options options;
    struct pool *pool;            /* owned, as all below */
    struct replayed *connections; /* one for each that was recorded */
    struct addresses addresses;
    struct throttle *throttle;
    struct happenings happenings;
    struct replay_queue backlog; /* the kernel's */
    struct replay_queue waiting;
    struct course course;
    struct memory_model memory;
    uint64_t now;
    uint64_t counted_at;        /* up to then workers are in the course */
    size_t n_arrived;           /* connections that have arrived, whatever became of them */
    size_t next_options;        /* of the service: when other settings come into force */
    size_t next_start;          /* of the service: how long the next start takes */
    size_t next_exit;           /* likewise */
    uint64_t last_exit_usec;    /* of a retirement in reality */
    uint64_t last_session_usec; /* of a connection that was served in reality */
    int error;
};

static inline const struct record_connection *replay_facts(const struct replay *replay,
                                                           uint32_t connection)
{
    return &replay->service->connections[connection].facts;
}

static inline uint64_t replay_arrival(const struct replay *replay, uint32_t connection)
{
    return replay->service->connections[connection].at;
}

void replay_queue_put(struct replay *replay, struct replay_queue *queue, uint32_t connection);

/* The next connection, which stays; REPLAY_NOBODY if there is none. */
uint32_t replay_queue_first(const struct replay *replay, struct replay_queue *queue);

/* Removes the next connection. There must be one. */
uint32_t replay_queue_take(const struct replay *replay, struct replay_queue *queue);

/* Its client leaves, unless it is done. */
void replay_leave(struct replay *replay, uint32_t connection);

/* Whether the connection is let in at this time. Counts it for its address if it is, and counts
 * its rejection if not. */
bool replay_admits(struct replay *replay, uint32_t connection);

/* It has ended, or is gone. */
void replay_forget(struct replay *replay, uint32_t connection);

/* How long the client waited in reality before it left; UINT64_MAX: it did not. */
uint64_t replay_patience(const struct record_connection *facts);
