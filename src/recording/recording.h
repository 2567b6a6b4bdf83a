/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* A whole recording, sorted: for each service what came, what was in force, and what its pool did.
 */
#pragma once

#include "recording/record.h"

/* A connection, and when it arrived. */
struct recorded_connection {
    uint64_t at;
    struct record_connection facts;
};

struct recorded_options {
    uint64_t at; /* from then on */
    struct record_options options;
};

/* The numbers of workers from then on. */
struct recorded_pool {
    uint64_t at;
    struct record_pool pool;
};

/* What the workers' memory was at that time. */
struct recorded_memory {
    uint64_t at;
    struct record_memory memory;
};

/* A worker's exit, or that it became ready. */
struct recorded_worker {
    uint64_t at;
    struct record_worker facts;
};

/* All arrays are owned, and sorted by time. */
struct recorded_service {
    uint32_t hash;
    char name[RECORD_NAME_MAX + 1];
    struct recorded_connection *connections;
    size_t n_connections;
    struct recorded_options *options;
    size_t n_options;
    struct recorded_pool *pools;
    size_t n_pools;
    struct recorded_worker *starts; /* of workers that became ready */
    size_t n_starts;
    struct recorded_worker *exits;
    size_t n_exits;
    struct recorded_memory *memories;
    size_t n_memories;
};

struct recording {
    struct recorded_service *services; /* n_services of them, owned; by name */
    size_t n_services;
    uint64_t from;    /* from then on it has everything; microseconds since the epoch */
    uint64_t to;      /* the last time in it */
    uint64_t n_lost;  /* records that could not be written */
    unsigned n_begun; /* how often a daemon began to record */
    bool has_wrapped; /* the oldest records were overwritten */
};

/* Reads a file's bytes, which may be cut off or broken: what is no record is left out. Services
 * without a name or without options are left out, too. Returns 0 with *ret, which the caller frees
 * by recording_clear(); -EBADMSG if this is no recording; -ENODATA if there is nothing in it; or
 * -ENOMEM. */
int recording_parse(const uint8_t *bytes, size_t size, struct recording *ret);

void recording_clear(struct recording *recording);

/* Finds a service by its name without regard to case. Returns NULL if there is none. */
const struct recorded_service *recording_find(const struct recording *recording, const char *name);
