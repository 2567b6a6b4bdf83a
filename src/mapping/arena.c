/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "mapping/arena.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES 65536

struct arena_block {
    struct arena_block *next;
    alignas(max_align_t) char bytes[];
};

static int add_block(struct arena *arena, size_t at_least)
{
    size_t size = at_least > BLOCK_BYTES ? at_least : BLOCK_BYTES;
    struct arena_block *block = calloc(1, sizeof(*block) + size);

    if (!block)
        return -1;
    block->next = arena->blocks;
    arena->blocks = block;
    arena->used = 0;
    arena->size = size;
    return 0;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    size = (size + alignof(max_align_t) - 1) / alignof(max_align_t) * alignof(max_align_t);
    if (size > arena->size - arena->used && add_block(arena, size) < 0)
        return NULL;
    void *piece = arena->blocks->bytes + arena->used;
    arena->used += size;
    return piece;
}

void *arena_copy(struct arena *arena, const void *bytes, size_t size)
{
    /* At least one byte, so that NULL always means a lack of memory. */
    void *copy = arena_alloc(arena, size > 0 ? size : 1);

    if (copy && size > 0)
        memcpy(copy, bytes, size);
    return copy;
}

char *arena_copy_text(struct arena *arena, const char *text, size_t length)
{
    char *copy = arena_alloc(arena, length + 1);

    if (copy)
        memcpy(copy, text, length);
    return copy;
}

void arena_clear(struct arena *arena)
{
    while (arena->blocks) {
        struct arena_block *block = arena->blocks;

        arena->blocks = block->next;
        free(block);
    }
    *arena = (struct arena){0};
}
