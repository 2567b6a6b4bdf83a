/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "protocol/ring.h"

#include "base/fd.h"
#include "base/memfd.h"
#include "protocol/message.h"

#include <assert.h>
#include <errno.h>
#include <sys/mman.h>

/* The layout is part of the protocol. */
static_assert(sizeof(struct ring_slot) == 16, "layout of ring_slot");
static_assert(offsetof(struct ring_memory, tail) == 64, "layout of ring_memory");
static_assert(offsetof(struct ring_memory, is_poked) == 128, "layout of ring_memory");
static_assert(offsetof(struct ring_memory, head) == 192, "layout of ring_memory");
static_assert(offsetof(struct ring_memory, wanted) == 200, "layout of ring_memory");
static_assert(offsetof(struct ring_memory, slots) == 256, "layout of ring_memory");

/* A lock would not work between processes. */
static_assert(ATOMIC_LLONG_LOCK_FREE == 2 && ATOMIC_INT_LOCK_FREE == 2, "atomics without locks");

static uint32_t entries_at_least(unsigned n_places)
{
    return 2 * n_places + 1;
}

uint32_t ring_entries_for(unsigned n_places)
{
    uint32_t n = 2;

    assert(n_places <= MESSAGE_IDS_MAX);
    while (n < entries_at_least(n_places))
        n *= 2;
    return n;
}

size_t ring_size(uint32_t n_entries)
{
    return sizeof(struct ring_memory) + n_entries * sizeof(struct ring_slot);
}

/* Returns NULL on failure, with errno. */
static struct ring_memory *map(int fd, uint32_t n_entries)
{
    void *memory = mmap(NULL, ring_size(n_entries), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    return memory == MAP_FAILED ? NULL : memory;
}

int ring_reader_open(struct ring_reader *reader, unsigned n_places, int *ret_fd)
{
    uint32_t n_entries = ring_entries_for(n_places);
    _cleanup_fd_ int fd = memfd_new_sized("dispatcherd-ring", ring_size(n_entries));

    if (fd < 0)
        return fd;
    struct ring_memory *memory = map(fd, n_entries);
    if (!memory)
        return -errno;
    memory->version = RING_VERSION;
    memory->n_entries = n_entries;
    *reader = (struct ring_reader){.memory = memory, .n_entries = n_entries};
    *ret_fd = take_fd(&fd);
    return 0;
}

void ring_reader_free(struct ring_reader *reader)
{
    if (reader->memory)
        munmap(reader->memory, ring_size(reader->n_entries));
    *reader = (struct ring_reader){0};
}

static int count_pending(const struct ring_reader *reader, uint64_t tail)
{
    uint64_t n = (tail & ~RING_CLOSED) - reader->head;

    return n > reader->n_entries ? -EBADMSG : (int)n;
}

/* Everything that may wake the other side is sequentially consistent: tail, head, `wanted` and
 * `is_poked`. Each side writes its own and then reads the other's, so that of two that do this at
 * the same time at least one sees what the other has written. */
int ring_pending(const struct ring_reader *reader)
{
    return count_pending(reader, atomic_load(&reader->memory->tail));
}

struct ring_entry ring_take(struct ring_reader *reader)
{
    struct ring_slot *slot = &reader->memory->slots[reader->head++ & (reader->n_entries - 1)];

    return (struct ring_entry){
        .id = atomic_load_explicit(&slot->id, memory_order_relaxed),
        .type = atomic_load_explicit(&slot->type, memory_order_relaxed),
    };
}

void ring_confirm(const struct ring_reader *reader)
{
    atomic_store(&reader->memory->head, reader->head);
}

int ring_close(struct ring_reader *reader)
{
    return count_pending(reader, atomic_fetch_or(&reader->memory->tail, RING_CLOSED));
}

void ring_want(struct ring_reader *reader, uint32_t wanted)
{
    if (reader->wanted == wanted)
        return;
    reader->wanted = wanted;
    atomic_store(&reader->memory->wanted, wanted);
}

void ring_heard(const struct ring_reader *reader)
{
    atomic_store(&reader->memory->is_poked, 0);
}

int ring_writer_open(struct ring_writer *writer, int fd, uint32_t n_entries, unsigned n_places)
{
    if (n_entries < entries_at_least(n_places) || n_entries > RING_ENTRIES_MAX ||
        (n_entries & (n_entries - 1)) != 0 || !memfd_is_mappable(fd, ring_size(n_entries)))
        return -EBADMSG;
    struct ring_memory *memory = map(fd, n_entries);
    if (!memory)
        return -errno;
    if (memory->version != RING_VERSION || memory->n_entries != n_entries) {
        munmap(memory, ring_size(n_entries));
        return -EBADMSG;
    }
    *writer = (struct ring_writer){.memory = memory, .n_entries = n_entries};
    return 0;
}

void ring_writer_free(struct ring_writer *writer)
{
    if (writer->memory)
        munmap(writer->memory, ring_size(writer->n_entries));
    *writer = (struct ring_writer){0};
}

int ring_publish(struct ring_writer *writer, const struct ring_entry entries[], size_t n)
{
    struct ring_memory *memory = writer->memory;
    uint64_t expected = writer->tail;

    if (n > writer->n_entries - (writer->tail - ring_head(writer)))
        return -ENOSPC;
    for (size_t i = 0; i < n; i++) {
        struct ring_slot *slot = &memory->slots[(writer->tail + i) & (writer->n_entries - 1)];

        atomic_store_explicit(&slot->id, entries[i].id, memory_order_relaxed);
        atomic_store_explicit(&slot->type, entries[i].type, memory_order_relaxed);
    }
    /* Only this side moves it; so if it differs, the ring was closed. */
    if (!atomic_compare_exchange_strong(&memory->tail, &expected, writer->tail + n))
        return -EPIPE;
    writer->tail += n;
    return 0;
}

struct ring_entry ring_written(const struct ring_writer *writer, uint64_t number)
{
    struct ring_slot *slot = &writer->memory->slots[number & (writer->n_entries - 1)];

    return (struct ring_entry){
        .id = atomic_load_explicit(&slot->id, memory_order_relaxed),
        .type = atomic_load_explicit(&slot->type, memory_order_relaxed),
    };
}

uint64_t ring_head(const struct ring_writer *writer)
{
    return atomic_load(&writer->memory->head);
}

bool ring_is_wanted(const struct ring_writer *writer, uint32_t what)
{
    return (atomic_load(&writer->memory->wanted) & what) != 0;
}

bool ring_poke(const struct ring_writer *writer)
{
    return atomic_exchange(&writer->memory->is_poked, 1) == 0;
}

void ring_unpoke(const struct ring_writer *writer)
{
    atomic_store(&writer->memory->is_poked, 0);
}
