/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Varlink messages out of a stream of bytes: each is a text that ends with a NUL.
 *
 * The stream is read into what varlink_frames_room() offers; messages come out one by one. What a
 * message says is not looked at here. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Owns its buffer. Made by VARLINK_FRAMES_INIT(); no other module touches its insides. */
struct varlink_frames {
    char *bytes;
    size_t capacity;
    size_t start;   /* of the first byte that is not yet taken */
    size_t end;     /* of what was read */
    size_t scanned; /* no NUL between start and here */
    size_t message_max;
};

/* Messages of at most `max` bytes, without the NUL. */
#define VARLINK_FRAMES_INIT(max) ((struct varlink_frames){.message_max = (max)})

/* Where to read to: at least one byte at *ret. Returns 0; -EMSGSIZE when the message that has begun
 * is too long already; or -ENOMEM. Messages that varlink_frames_next() has given are gone then. */
int varlink_frames_room(struct varlink_frames *frames, char **ret, size_t *ret_size);

/* So many bytes were read to the room. */
void varlink_frames_added(struct varlink_frames *frames, size_t size);

/* The next whole message, terminated, its length without the NUL. It stays where it is until
 * varlink_frames_room() or varlink_frames_clear(). Returns false if there is none. */
bool varlink_frames_next(struct varlink_frames *frames, const char **ret, size_t *ret_length);

/* True if a message has begun, whether or not it is whole. */
bool varlink_frames_is_pending(const struct varlink_frames *frames);

/* Frees the buffer; the frames can be used again. */
void varlink_frames_clear(struct varlink_frames *frames);
