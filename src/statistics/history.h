/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Connections and workers of a service that have ended, as long as HISTORICAL_TIME says, in bounded
 * memory (dispatcherctl(1)): the oldest are dropped first.
 *
 * Pure, and plain data without pointers: it is in the memory that outlives the daemon. All zero is
 * the beginning, and any bytes are a valid state, so that a predecessor's need no check. Memory
 * that was never used takes no room. */
#pragma once

#include "base/address.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of a service. */
#define HISTORY_CONNECTIONS_MAX 1000
#define HISTORY_WORKERS_MAX     100

/* How many connections are named that a worker still held when it ended: as many as MAX_CONNS
 * allows. */
#define HISTORY_HELD_MAX 50

/* Bytes of an IDENT user's name that are kept (dispatcher.cnf(5), IDENT). */
#define IDENT_USER_MAX 64

enum history_end {
    HISTORY_ENDED,     /* served to its end */
    HISTORY_BROKEN,    /* its worker died */
    HISTORY_GONE,      /* the client left before a worker had it */
    HISTORY_REJECTED,  /* by access control */
    HISTORY_UNSERVED,  /* no worker could be started while the service stopped */
    HISTORY_FAILED,    /* ended: what served it has failed */
    HISTORY_SENT_AWAY, /* ended: its worker could not have it served */
    N_HISTORY_ENDS
};

/* "ended", "broken", "gone", "rejected", "unserved", "failed", "sent-away"; "unknown" if it is none
 * of these. */
const char *history_end_to_string(uint32_t end);

/* What a worker has reported about a connection's TLS: its texts, cut and made printable. */
struct history_tls {
    char protocol[12]; /* "TLSv1.3"; "": in plain text, or not reported */
    char cipher[40];
    char subject[128]; /* of the client's certificate; "": none was shown, as the next */
    char sha256[64 + 1];
};

/* Times are CLOCK_MONOTONIC, in microseconds; 0: never. */
struct history_connection {
    uint64_t id;
    uint64_t queued_usec;
    uint64_t accepted_at;
    uint64_t handed_at;
    uint64_t ended_at;
    struct address peer;
    struct address local;
    int32_t worker_pid; /* 0: no worker had it */
    uint32_t end;       /* enum history_end */
    uint32_t rejection; /* enum statistics_rejection, of HISTORY_REJECTED */
    bool is_tls;
    struct history_tls tls;
    char ident_user[IDENT_USER_MAX + 1]; /* "": unknown; not trusted */
};

struct history_worker {
    int32_t pid; /* 0: it never reported it */
    uint32_t slot;
    uint64_t started_at;
    uint64_t ready_at;
    uint64_t ended_at;
    uint32_t n_current; /* connections at its end, which were broken */
    uint32_t n_peak;
    uint64_t n_total;
    char start_reason[48];
    char retire_reason[48]; /* "": it was not retired */
    char cause[96];         /* how it ended: "exited with status 0" */
    int32_t exit_status;    /* -1: unknown */
    int32_t signal;         /* 0: none */
    uint32_t n_held;        /* number of `held`; at most HISTORY_HELD_MAX */
    uint64_t held[HISTORY_HELD_MAX];
};

struct history {
    uint64_t n_connections; /* that were ever added */
    uint64_t n_workers;
    uint64_t n_dropped_connections; /* early, for lack of room */
    uint64_t n_dropped_workers;
    struct history_connection connections[HISTORY_CONNECTIONS_MAX];
    struct history_worker workers[HISTORY_WORKERS_MAX];
};

/* Each returns the place for the newest entry, which the caller fills in; its `ended_at` is set to
 * `now`. `limit_usec` is HISTORICAL_TIME. */
struct history_connection *history_add_connection(struct history *history, uint64_t limit_usec,
                                                  uint64_t now);
struct history_worker *history_add_worker(struct history *history, uint64_t limit_usec,
                                          uint64_t now);

/* The i-th entry that is still listed, the newest first; NULL: there are no more. */
const struct history_connection *history_connection(const struct history *history, size_t i,
                                                    uint64_t limit_usec, uint64_t now);
const struct history_worker *history_worker(const struct history *history, size_t i,
                                            uint64_t limit_usec, uint64_t now);

/* Copies, or clears, without touching memory that was never used. */
void history_copy(struct history *to, const struct history *from);
void history_clear(struct history *history);
