/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "varlink/frames.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Room for the first read: nearly every call fits. */
#define FIRST_CAPACITY_BYTES 1024

static void move_to_start(struct varlink_frames *frames)
{
    if (frames->start == 0)
        return;
    if (frames->end > frames->start)
        memmove(frames->bytes, frames->bytes + frames->start, frames->end - frames->start);
    frames->scanned -= frames->start;
    frames->end -= frames->start;
    frames->start = 0;
}

/* Doubles the size, up to the longest message and its NUL. */
static int grow(struct varlink_frames *frames)
{
    size_t capacity = frames->capacity > 0 ? 2 * frames->capacity : FIRST_CAPACITY_BYTES;

    if (capacity > frames->message_max + 1)
        capacity = frames->message_max + 1;
    if (capacity <= frames->capacity)
        return -EMSGSIZE;
    char *bytes = realloc(frames->bytes, capacity);
    if (!bytes)
        return -ENOMEM;
    frames->bytes = bytes;
    frames->capacity = capacity;
    return 0;
}

int varlink_frames_room(struct varlink_frames *frames, char **ret, size_t *ret_size)
{
    move_to_start(frames);
    if (frames->end == frames->capacity) {
        int r = grow(frames);
        if (r < 0)
            return r;
    }
    *ret = frames->bytes + frames->end;
    *ret_size = frames->capacity - frames->end;
    return 0;
}

void varlink_frames_added(struct varlink_frames *frames, size_t size)
{
    frames->end += size;
}

bool varlink_frames_next(struct varlink_frames *frames, const char **ret, size_t *ret_length)
{
    if (frames->scanned == frames->end)
        return false;
    const char *from = frames->bytes + frames->scanned;
    const char *nul = memchr(from, '\0', frames->end - frames->scanned);
    if (!nul) {
        frames->scanned = frames->end;
        return false;
    }
    *ret = frames->bytes + frames->start;
    *ret_length = (size_t)(nul - *ret);
    frames->start = frames->scanned = (size_t)(nul + 1 - frames->bytes);
    return true;
}

bool varlink_frames_is_pending(const struct varlink_frames *frames)
{
    return frames->end > frames->start;
}

void varlink_frames_clear(struct varlink_frames *frames)
{
    free(frames->bytes);
    *frames = VARLINK_FRAMES_INIT(frames->message_max);
}
