/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Memory that is taken in small pieces and given back all at once: what a file was compiled into.
 * Nothing in it can be freed alone. */
#pragma once

#include <stddef.h>

/* Owns its blocks. All zero is an empty arena. */
struct arena {
    struct arena_block *blocks;
    size_t used; /* bytes of the newest block */
    size_t size; /* of the newest block */
};

/* `size` bytes of zeros, aligned for anything. NULL out of memory. */
void *arena_alloc(struct arena *arena, size_t size);

/* A copy of the bytes. NULL out of memory. */
void *arena_copy(struct arena *arena, const void *bytes, size_t size);

/* A copy of the text, terminated. NULL out of memory. */
char *arena_copy_text(struct arena *arena, const char *text, size_t length);

/* Frees everything; the arena is empty afterwards. */
void arena_clear(struct arena *arena);
