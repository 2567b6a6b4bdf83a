/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What a worker tells of its connections, in memory that it shares with dispatcherd: a ring of
 * entries in a sealed memfd, one for each worker, made by dispatcherd. The same in prose, for
 * people who write a worker in another language: dispatcher-worker(7).
 *
 * The worker writes entries, and then moves the tail behind them: from that moment on they count,
 * whatever becomes of it. dispatcherd closes the ring by one bit of the same word, and a closed
 * ring takes nothing more; so it is one atomic fact whether an acknowledgement counts. dispatcherd
 * says by the head how far it has read.
 *
 * dispatcherd believes nothing that it reads here: sizes are its own, each entry is copied once
 * before anybody looks at it, and a tail that cannot be is a lie. A worker harms nobody but itself.
 *
 * Neither side waits for the other here. A worker that wants dispatcherd to look sends
 * MESSAGE_NEWS; `is_poked` keeps it from saying so twice before it was heard. */
#pragma once

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RING_VERSION 1

/* The bit of the tail that closes the ring. The other bits count all entries that were ever
 * written. */
#define RING_CLOSED (UINT64_C(1) << 63)

#define RING_WANTS_ANSWERS 1u /* announce acknowledgements; refusals are always announced */
#define RING_WANTS_ENDS    2u

enum {
    RING_ENTRIES_MAX = 4096,
    RING_LINE = 64 /* bytes of a cache line */
};

/* An entry in the memory. Atomic, since a hostile worker may write while it is read. */
struct ring_slot {
    _Atomic uint64_t id;
    _Atomic uint32_t type;
    uint32_t unused;
};

/* The layout, version 1. What one side writes and the other reads has cache lines of its own: the
 * worker writes the tail (dispatcherd only to close it), dispatcherd writes what is beside the
 * head. */
struct ring_memory {
    uint32_t version;
    uint32_t n_entries; /* a power of two */
    alignas(RING_LINE) _Atomic uint64_t tail;
    alignas(RING_LINE) _Atomic uint32_t is_poked;
    alignas(RING_LINE) _Atomic uint64_t head;
    _Atomic uint32_t
        wanted; /* what the worker must announce, since dispatcherd waits for it: RING_WANTS_* */
    alignas(RING_LINE) struct ring_slot slots[];
};

/* A copy of an entry. */
struct ring_entry {
    uint64_t id;
    uint32_t type; /* MESSAGE_ACKNOWLEDGE, _REFUSE, _ENDED (or one that stands for it), _DRAINING */
};

/* The most entries that may be unread: two for each connection that dispatcherd does not know to
 * have ended, and one for the drain. A power of two. */
uint32_t ring_entries_for(unsigned n_places);

/* Bytes of a ring with that many entries. */
size_t ring_size(uint32_t n_entries);

/* dispatcherd's side. */
struct ring_reader {
    struct ring_memory *memory; /* mapped; NULL: there is none */
    uint32_t n_entries;
    uint64_t head;   /* how many entries were taken */
    uint32_t wanted; /* what is in the memory, or should be */
};

/* Makes a ring for a worker with that many places (up to 1024). Returns 0 with the descriptor for
 * the worker, which is CLOEXEC and the caller's, or a negative errno. */
int ring_reader_open(struct ring_reader *reader, unsigned n_places, int *ret_fd);

/* Frees the memory; does nothing if there is none. */
void ring_reader_free(struct ring_reader *reader);

/* How many entries can be taken now; -EBADMSG if more were written than there is room for: the
 * worker has broken a rule. */
int ring_pending(const struct ring_reader *reader);

/* Takes the next entry; only as many as ring_pending() has returned. */
struct ring_entry ring_take(struct ring_reader *reader);

/* Tells the worker how many entries were taken, so that it may overwrite them. A worker that wants
 * to be looked at relies on this: afterwards ring_pending() must be called once more, and return 0.
 */
void ring_confirm(const struct ring_reader *reader);

/* Closes the ring for writing. Entries that were written before can still be taken: returns what
 * ring_pending() does, for the last time. */
int ring_close(struct ring_reader *reader);

/* Sets what the worker must announce. If that is more than before, the caller reads the ring
 * afterwards: entries that were written until then may not have been announced. */
void ring_want(struct ring_reader *reader, uint32_t wanted);

/* MESSAGE_NEWS has arrived, so the next one may be sent. The ring must be read after this call, not
 * before. */
void ring_heard(const struct ring_reader *reader);

/* The worker's side. One thread at a time. */
struct ring_writer {
    struct ring_memory *memory; /* mapped; NULL: there is none */
    uint32_t n_entries;
    uint64_t tail; /* how many entries were published */
};

/* Maps the ring in `fd`, which stays the caller's, for a worker with that many places. Returns 0,
 * -EBADMSG if it is invalid, or another negative errno. */
int ring_writer_open(struct ring_writer *writer, int fd, uint32_t n_entries, unsigned n_places);

void ring_writer_free(struct ring_writer *writer);

/* Publishes entries together: either all of them count, or none. They have been read when
 * ring_head() reaches writer->tail. Returns 0, -EPIPE if the ring is closed, or -ENOSPC if
 * dispatcherd has handed over more connections than allowed. */
int ring_publish(struct ring_writer *writer, const struct ring_entry entries[], size_t n);

/* The entry of that number, from ring_head() to writer->tail. */
struct ring_entry ring_written(const struct ring_writer *writer, uint64_t number);

/* How many entries dispatcherd has read. */
uint64_t ring_head(const struct ring_writer *writer);

/* Whether dispatcherd wants an announcement of this (one of RING_WANTS_*), which was just
 * published. */
bool ring_is_wanted(const struct ring_writer *writer, uint32_t what);

/* Returns true if the caller must send MESSAGE_NEWS; otherwise one is under way. */
bool ring_poke(const struct ring_writer *writer);

/* MESSAGE_NEWS could not be sent. */
void ring_unpoke(const struct ring_writer *writer);
