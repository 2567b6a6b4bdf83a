/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Turns clients away: sends a text, and sees to it that the client can read it
 * (dispatcher-mappings(5)).
 *
 * Closing a connection with bytes unread makes the kernel reset it, and a reset takes the text from
 * the client who has not read it yet. So after the text only the sending side is closed, and what
 * the client still says is read and thrown away until it closes too; within bounds of time, bytes
 * and number of such connections. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

/* Longest text; what is longer is cut, and ends with CRLF all the same. */
#define REJECTION_TEXT_MAX_BYTES 1024

/* How long a client is listened to, and how much is read of it. */
#define REJECTION_LIMIT_USEC     UINT64_C(2000000)
#define REJECTION_READ_MAX_BYTES 4096

/* Connections that are listened to at once. Above it they are closed with their text at once, at
 * the risk of a reset. */
#define REJECTIONS_MAX 64

/* Counts since the start; each connection is in one of n_silent, n_ended, n_timed_out,
 * n_talkative, n_hurried, n_failed, or is open still. */
struct rejection_counts {
    uint64_t n_silent;    /* had no text */
    uint64_t n_ended;     /* the client closed: it had the text, or did not want it */
    uint64_t n_timed_out; /* still open after REJECTION_LIMIT_USEC */
    uint64_t n_talkative; /* had sent REJECTION_READ_MAX_BYTES */
    uint64_t n_hurried;   /* REJECTIONS_MAX others were open */
    uint64_t n_failed;    /* the text could not be sent, or not all of it */
};

struct rejections;

/* `event` is kept referenced. Returns 0 with *ret, which the caller frees, or a negative errno. */
int rejections_new(sd_event *event, struct rejections **ret);

/* Closes every connection that is open still. NULL does nothing. */
void rejections_free(struct rejections *rejections);

/* Takes over the connection *fd (-1 afterwards), sends the text, which brings its own CRLF, and
 * closes it in the end. Without text (length 0) it is closed at once. Never waits and never fails;
 * each connection sees one attempt to write. No event source may watch the descriptor any more. */
void rejection_send(struct rejections *rejections, int *fd, const char *text, size_t length);

/* Connections that are listened to now: 0 to REJECTIONS_MAX. */
unsigned rejections_n_open(const struct rejections *rejections);

const struct rejection_counts *rejections_counts(const struct rejections *rejections);
