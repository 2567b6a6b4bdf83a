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

/* The bit of the tail that closes the ring. The others count the entries that were ever written. */
#define RING_CLOSED (UINT64_C(1) << 63)

#define RING_WANTS_ANSWERS 1u /* acknowledgements; refusals are told in any case */
#define RING_WANTS_ENDS    2u

enum {
    RING_ENTRIES_MAX = 4096,
    RING_LINE = 64 /* bytes of a cache line */
};

/* One in the memory. Atomic, since a liar may write while it is read. */
struct ring_slot {
    _Atomic uint64_t id;
    _Atomic uint32_t type;
    uint32_t unused;
};

/* The layout, version 1. What one side writes and the other reads stands on lines of its own: the
 * worker writes the tail (dispatcherd too, once, to close it), dispatcherd what is beside the
 * head. */
struct ring_memory {
    uint32_t version;
    uint32_t n_entries; /* a power of two */
    alignas(RING_LINE) _Atomic uint64_t tail;
    alignas(RING_LINE) _Atomic uint32_t is_poked;
    alignas(RING_LINE) _Atomic uint64_t head;
    _Atomic uint32_t wanted; /* what dispatcherd waits for, and is to be poked for: RING_WANTS_* */
    alignas(RING_LINE) struct ring_slot slots[];
};

/* A copy of one. */
struct ring_entry {
    uint64_t id;
    uint32_t type; /* MESSAGE_ACKNOWLEDGE, _REFUSE, _ENDED or _DRAINING */
};

/* An honest worker never has more entries unread than this many: two for each connection that
 * dispatcherd does not know to be over, and that it drains. A power of two. */
uint32_t ring_entries_for(unsigned n_places);

/* Bytes of a ring with so many entries. */
size_t ring_size(uint32_t n_entries);

/* dispatcherd's side. */
struct ring_reader {
    struct ring_memory *memory; /* mapped; NULL: there is none */
    uint32_t n_entries;
    uint64_t head;   /* entries that were taken */
    uint32_t wanted; /* what is in the memory, or should be */
};

/* Makes a ring for a worker of so many places (up to 1024). Returns 0 with the descriptor for the
 * worker, which is CLOEXEC and the caller's, or a negative errno. */
int ring_reader_open(struct ring_reader *reader, unsigned n_places, int *ret_fd);

/* Gives the memory back; if there is none, does nothing. */
void ring_reader_free(struct ring_reader *reader);

/* How many entries may be taken by now, or -EBADMSG if more were written than there is room for:
 * the worker lies. */
int ring_pending(const struct ring_reader *reader);

/* Takes the next entry. Not more than ring_pending() has said. */
struct ring_entry ring_take(struct ring_reader *reader);

/* Tells the worker how much was taken: those entries may be written over. Who relies on being
 * looked at relies on ring_pending() being asked once more afterwards, and answering 0. */
void ring_confirm(const struct ring_reader *reader);

/* Nothing can be written any more. What was written before may be taken: as ring_pending(), for the
 * last time. */
int ring_close(struct ring_reader *reader);

/* What the worker is to poke for. Who asks for more than before reads the ring afterwards: what was
 * written until then may not have been told. */
void ring_want(struct ring_reader *reader, uint32_t wanted);

/* MESSAGE_NEWS has come: the next one may be sent. The ring is read after this, not before. */
void ring_heard(const struct ring_reader *reader);

/* The worker's side. One thread at a time. */
struct ring_writer {
    struct ring_memory *memory; /* mapped; NULL: there is none */
    uint32_t n_entries;
    uint64_t tail; /* entries that were published */
};

/* Maps the ring that came with `fd`, which stays the caller's; a worker of so many places will use
 * it. Returns 0, -EBADMSG if it is not what it should be, or another negative errno. */
int ring_writer_open(struct ring_writer *writer, int fd, uint32_t n_entries, unsigned n_places);

void ring_writer_free(struct ring_writer *writer);

/* Publishes entries together: all of them count, or none. They are writer->tail when they are read.
 * Returns 0, -EPIPE if the ring is closed, or -ENOSPC if dispatcherd has handed over more
 * than it may. */
int ring_publish(struct ring_writer *writer, const struct ring_entry entries[], size_t n);

/* How many entries dispatcherd has read. */
uint64_t ring_head(const struct ring_writer *writer);

/* True if dispatcherd is to be poked for this, which was just published: one of RING_WANTS_*. */
bool ring_is_wanted(const struct ring_writer *writer, uint32_t what);

/* Returns true if the caller has to send MESSAGE_NEWS: otherwise one is under way. */
bool ring_poke(const struct ring_writer *writer);

/* It could not be sent. */
void ring_unpoke(const struct ring_writer *writer);
