/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Memory that is allocated in small pieces and freed all at once: for what a file is compiled into.
 */
#pragma once

#include <stddef.h>

/* Owns its blocks. All zero is an empty arena. */
struct arena {
    struct arena_block *blocks;
    size_t used; /* bytes of the newest block */
    size_t size; /* of the newest block */
};

/* Returns `size` bytes of zeros, aligned for any type; NULL when out of memory. */
void *arena_alloc(struct arena *arena, size_t size);

/* Returns a copy of the bytes; NULL when out of memory. */
void *arena_copy(struct arena *arena, const void *bytes, size_t size);

/* Returns a copy of the text with a NUL; NULL when out of memory. */
char *arena_copy_text(struct arena *arena, const char *text, size_t length);

/* Frees everything; the arena is empty afterwards. */
void arena_clear(struct arena *arena);
