/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Splits a stream of bytes into Varlink messages, each of which ends with a NUL.
 *
 * The caller reads the stream into the room of varlink_frames_room(), and takes the messages one by
 * one. Their content is not looked at here. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Owns its buffer. Made by VARLINK_FRAMES_INIT(); no other module uses its fields. */
struct varlink_frames {
    char *bytes;
    size_t capacity;
    size_t start;   /* of the first byte that was not taken yet */
    size_t end;     /* of what was read */
    size_t scanned; /* no NUL between start and here */
    size_t message_max;
};

/* Frames for messages of at most `max` bytes, without the NUL. */
#define VARLINK_FRAMES_INIT(max) ((struct varlink_frames){.message_max = (max)})

/* Where to read to: at least one byte at *ret. Returns 0; -EMSGSIZE if the present message is too
 * long already; or -ENOMEM. Messages from varlink_frames_next() are no longer valid. */
int varlink_frames_room(struct varlink_frames *frames, char **ret, size_t *ret_size);

/* This many bytes were read into the room. */
void varlink_frames_added(struct varlink_frames *frames, size_t size);

/* Returns the next complete message, terminated; its length is without the NUL. It is valid until
 * varlink_frames_room() or varlink_frames_clear(). Returns false if there is none. */
bool varlink_frames_next(struct varlink_frames *frames, const char **ret, size_t *ret_length);

/* True if a message has begun, complete or not. */
bool varlink_frames_is_pending(const struct varlink_frames *frames);

/* Frees the buffer; the frames can be used again. */
void varlink_frames_clear(struct varlink_frames *frames);
