/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What a recording consists of (dispatcher.cnf(5), RECORD): a header, then a ring of records of a
 * fixed size, in which the oldest are overwritten. This is the form of both as bytes; recording.h
 * reads a whole one.
 *
 * Pure. Integers are little-endian. A record has a checksum, so that one that was written by half
 * is left out, and names its service by a hash, so that it can be read without those before it.
 *
 * A new kind of record, or a member at the end of one, leaves the version as it is: readers leave
 * out kinds that they do not know, and what was not written is 0. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECORD_BYTES 64

/* Of a file that dispatcherd makes: 16 MiB. */
#define RECORDS_MAX (UINT32_C(1) << 18)

/* Of a file that is read. */
#define RECORDS_READ_MAX (UINT32_C(1) << 22)

enum record_kind {
    RECORD_BEGIN = 1,  /* a daemon begins to record: from here on clients have other hashes */
    RECORD_SERVICE,    /* the name of a service */
    RECORD_OPTIONS,    /* what is in force for it from now on */
    RECORD_CONNECTION, /* one that has ended; its time is that of its arrival */
    RECORD_READY,      /* a worker is ready */
    RECORD_EXIT,       /* a worker has ended */
    RECORD_POOL,       /* the numbers of workers have changed */
    RECORD_LOST,       /* records for which there was no room, or that could not be written */
    RECORD_MEMORY,     /* what the workers' memory was */
    N_RECORD_KINDS
};

#define RECORD_NAME_MAX 32

struct record_options {
    uint16_t min_procs;
    uint16_t max_procs;
    uint16_t min_conns;
    uint16_t max_conns;
    uint16_t max_handoffs;
    uint16_t max_shutdown;
    uint32_t max_life_sec;
    uint32_t max_life_conns;
    uint32_t max_idle_sec;
    uint32_t max_per_address;
    uint32_t max_per_network;
};

/* All times are lengths in microseconds. */
struct record_connection {
    /* A keyed hash of the client's address: the upper 48 bits are the same for all addresses of a
     * network (access/source.h), the lower 16 tell them apart. */
    uint64_t client;
    uint32_t queued_usec;  /* from its arrival to accept: an estimate */
    uint32_t checked_usec; /* then in the checks */
    uint32_t waited_usec;  /* then for a worker */
    uint64_t session_usec; /* then in a worker's hands; 0: no worker had it */
    uint8_t end;           /* enum history_end */
    uint8_t rejection;     /* enum statistics_rejection, if it was rejected */
    bool is_tls;
    bool was_handed; /* a worker had it */
};

struct record_worker {
    uint64_t usec;      /* RECORD_READY: from its start; RECORD_EXIT: its whole life */
    uint32_t exit_usec; /* RECORD_EXIT: from its last session, or its drain, to its end */
    uint32_t n_total;   /* RECORD_EXIT: connections it was given */
    uint8_t reason;     /* RECORD_EXIT: enum decision_reason of its retirement; 0: none */
    bool was_ready;     /* RECORD_EXIT */
};

struct record_pool {
    uint16_t n_starting;
    uint16_t n_ready;
    uint16_t n_draining;
    uint32_t n_active;
    uint32_t n_waiting;
};

/* Of workers that are ready or draining. If there are many, only some of them were looked at: all
 * but n_in_pool is about those. */
struct record_memory {
    uint16_t n_workers;
    uint16_t n_in_pool;
    uint32_t n_sessions;
    uint32_t n_peak;  /* the most sessions that each of them had at a time, added up */
    uint64_t n_total; /* connections that they were given in their lives */
    uint64_t kib;     /* what each of them has for itself alone, added up */
};

struct record {
    enum record_kind kind;
    uint32_t service;  /* record_service_hash(); 0 for RECORD_BEGIN and RECORD_LOST */
    uint64_t sequence; /* from 1; its place in the ring follows from it */
    uint64_t at;       /* microseconds since the epoch, on a clock without jumps */
    union {
        char name[RECORD_NAME_MAX + 1];
        struct record_options options;
        struct record_connection connection;
        struct record_worker worker;
        struct record_pool pool;
        struct record_memory memory;
        uint64_t n_lost;
    };
};

/* Of the name without regard to case; never 0. */
uint32_t record_service_hash(const char *name);

void record_encode(const struct record *record, uint8_t bytes[RECORD_BYTES]);

/* Returns false if the bytes are no record: never written, written by half, or of a kind that a
 * later version has. */
bool record_decode(const uint8_t bytes[RECORD_BYTES], struct record *ret);

/* The header of a ring of that many records. */
void record_header_encode(uint32_t n_records, uint8_t bytes[RECORD_BYTES]);

/* Returns how many records the ring has; 0 if this is no header of a recording. */
uint32_t record_header_decode(const uint8_t bytes[RECORD_BYTES]);
