/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "varlink/memory.h"

#include <jansson.h>
#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* The longest call, 64 KiB, makes at most some 32,000 values of 48 bytes, and an array that has
 * doubled for them; a reply that is abandoned for lack of memory needs no more. */
#define RESERVE_BYTES (8 * 1024 * 1024)

static struct {
    alignas(max_align_t) unsigned char bytes[RESERVE_BYTES];
    size_t n_used;  /* from the start; all of it is free again when n_lent is 0 */
    size_t n_lent;  /* pieces that jansson uses */
    bool was_short; /* since the last varlink_memory_was_short() */
} reserve;

static void *(*first_choice)(size_t size);

static void *borrow(size_t size)
{
    size_t align = alignof(max_align_t), rounded = (size + align - 1) / align * align;

    if (size > RESERVE_BYTES || rounded > RESERVE_BYTES - reserve.n_used)
        return NULL;
    void *piece = reserve.bytes + reserve.n_used;
    reserve.n_used += rounded;
    reserve.n_lent++;
    return piece;
}

static void *allocate(size_t size)
{
    void *memory = first_choice(size);

    if (memory || size == 0)
        return memory;
    reserve.was_short = true;
    return borrow(size);
}

static void release(void *memory)
{
    uintptr_t at = (uintptr_t)memory, start = (uintptr_t)reserve.bytes;

    if (at < start || at >= start + RESERVE_BYTES) {
        free(memory);
        return;
    }
    if (--reserve.n_lent == 0)
        reserve.n_used = 0;
}

void varlink_memory_start(void *(*allocate_first)(size_t size))
{
    first_choice = allocate_first;
    json_set_alloc_funcs(allocate, release);
}

bool varlink_memory_was_short(void)
{
    bool was_short = reserve.was_short;

    reserve.was_short = false;
    return was_short;
}
