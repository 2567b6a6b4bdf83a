/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What a host of a fleet owes the others, and what it knows of them.
 *
 * Each host counts for itself (access/throttle.h). A key whose count has changed is owed to the
 * store: the next batch takes its absolute count there, and its answer brings the counts of the
 * other hosts. So a batch that is lost, late or sent twice changes nothing. Keys that have reached
 * their rate are told to all hosts, by a list in the store of which each answer brings the new
 * part. A host that has nothing to send sends an empty batch for that.
 *
 * Counts of open connections (open_counts.h) go with the same batches.
 *
 * Pure: the caller provides the time, and carries batches to the store and answers back. It is done
 * in the order of the batches; those of a connection that has ended are forgotten. */
#pragma once

#include "access/throttle.h"
#include "dispatcherd/fleet/open_counts.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How often a batch goes out, and how many keys it has at most. The bound on what is admitted above
 * a limit, which dispatcher.cnf(5) states, follows from the time: a count waits for one batch here,
 * and for one at each other host. 512 keys take 40 KiB. */
#define FLEET_BATCH_USEC (5 * UINT64_C(1000))
#define FLEET_BATCH_KEYS 512
#define FLEET_BATCH_OPEN 256

/* How often when no host has counted anything for a second. */
#define FLEET_QUIET_USEC (100 * UINT64_C(1000))

/* Batches without an answer. None is older than the link's deadline, which is shorter than this
 * number of batches takes. */
#define FLEET_BATCHES 16

/* Keys that have reached their rate, in one answer. */
#define FLEET_FULL_KEYS 512

/* The most keys of one host in one window. With expiry they take some 20 MiB of the store. */
#define FLEET_KEYS_MAX 65536

#define FLEET_EPOCH_MAX 33

struct fleet_item {
    uint32_t number; /* of the throttle's entry */
    struct throttle_key key;
    uint32_t own;
    uint64_t window;    /* its number, by the store's clock */
    uint64_t window_at; /* CLOCK_MONOTONIC, in microseconds */
};

struct fleet_batch {
    uint64_t sent_at; /* likewise */
    uint64_t window;  /* the minute's number, by the store's clock */
    uint32_t n_full;  /* how many entries of the window's list are known */
    size_t n_items;
    struct fleet_item items[FLEET_BATCH_KEYS];
    bool has_open;      /* open connections are counted over the fleet */
    uint64_t open_mark; /* up to where it is known which addresses have reached their limit */
    size_t n_open;
    struct open_item open[FLEET_BATCH_OPEN];
};

struct fleet_answer {
    uint64_t store_usec;         /* the store's clock: microseconds since 1970 */
    uint64_t active_sec;         /* when a host has last sent a count, by that clock */
    char epoch[FLEET_EPOCH_MAX]; /* changes when the store has lost its data */
    uint32_t n_full;             /* entries of the list that are known with these */
    size_t n_full_keys;
    struct {
        struct throttle_key key;
        uint64_t window;
        uint32_t total;
    } full[FLEET_FULL_KEYS];
    size_t n_sums; /* one for each item of the batch */
    struct {
        uint32_t own; /* what the store had from this host before */
        uint32_t others;
    } sums[FLEET_BATCH_KEYS];
    size_t n_open; /* likewise: what the other hosts have open */
    uint32_t open[FLEET_BATCH_OPEN];
    uint64_t open_mark;
    size_t n_told; /* addresses that have reached their limit, or (0) no longer have */
    struct {
        struct open_key key;
        uint32_t total;
    } told[FLEET_BATCH_OPEN];
};

struct fleet_ledger;

/* Whether windows of one key that began at these times are the same. Different ones begin at least
 * THROTTLE_SHIFT_USEC apart. */
static inline bool fleet_is_same_window(uint64_t a_at, uint64_t b_at)
{
    return a_at + THROTTLE_SHIFT_USEC > b_at && b_at + THROTTLE_SHIFT_USEC > a_at;
}

/* Makes an empty ledger for hosts whose keys are in `throttle`, which outlives it, and whose
 * windows are aligned from now on. `real_usec`: CLOCK_REALTIME at `now`, which is taken for the
 * store's clock until that is known. Returns 0 or -ENOMEM. */
int fleet_ledger_new(struct throttle *throttle, uint64_t real_usec, uint64_t now,
                     struct fleet_ledger **ret);

/* Windows are as they were before. NULL does nothing. */
void fleet_ledger_free(struct fleet_ledger *ledger);

/* Counts of open connections are shared, too. They outlive the ledger. */
void fleet_ledger_share_open(struct fleet_ledger *ledger, struct open_counts *open);

/* The key has been counted. */
void fleet_ledger_owe(struct fleet_ledger *ledger, uint32_t number);

/* Whether a batch would have the key if it were sent now: not if its window began before the fleet
 * did, or if the store has FLEET_KEYS_MAX others from here. */
bool fleet_ledger_sends(const struct fleet_ledger *ledger, uint32_t number, uint64_t now);

/* A connection to the store begins: all counts of the present window are owed, since the store may
 * have lost them. */
void fleet_ledger_begin(struct fleet_ledger *ledger, uint64_t now);

/* It has ended: no answer comes any more. */
void fleet_ledger_end(struct fleet_ledger *ledger);

/* When the next batch is to be sent; UINT64_MAX: not before an answer has come. */
uint64_t fleet_ledger_due(const struct fleet_ledger *ledger);

/* Makes a batch, perhaps an empty one. Valid until it is answered. */
const struct fleet_batch *fleet_ledger_send(struct fleet_ledger *ledger, uint64_t now);

/* The oldest batch that is not answered; NULL: all are. */
const struct fleet_batch *fleet_ledger_oldest(const struct fleet_ledger *ledger);

/* Takes in the answer to the oldest batch. Returns false if it does not belong to it. */
bool fleet_ledger_answer(struct fleet_ledger *ledger, const struct fleet_answer *answer,
                         uint64_t now);

/* How far the store's clock is ahead of CLOCK_MONOTONIC, in microseconds. */
uint64_t fleet_ledger_offset(const struct fleet_ledger *ledger);

/* How many keys are owed, and how many were not sent for being more than FLEET_KEYS_MAX. */
size_t fleet_ledger_n_owed(const struct fleet_ledger *ledger);
uint64_t fleet_ledger_n_left_out(const struct fleet_ledger *ledger);
