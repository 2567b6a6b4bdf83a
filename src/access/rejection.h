/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Rejects clients: sends a text, and makes sure that the client can read it
 * (dispatcher-mappings(5)).
 *
 * If a connection is closed with bytes unread, the kernel resets it, and the reset takes the text
 * from a client that has not read it yet. So only the sending side is closed after the text, and
 * what the client still sends is read and discarded until it closes too, within limits of time,
 * bytes, and number of such connections. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

/* The longest text. A longer one is cut, and still ends with CRLF. */
#define REJECTION_TEXT_MAX_BYTES 1024

/* How long and how many bytes are read from one client. */
#define REJECTION_LIMIT_USEC     UINT64_C(2000000)
#define REJECTION_READ_MAX_BYTES 4096

/* How many connections are drained at once. Further ones are closed right after their text, at the
 * risk of a reset. */
#define REJECTIONS_MAX 64

/* Counted since the start. Each connection is either open or counted in one of n_silent, n_ended,
 * n_timed_out, n_talkative, n_hurried, n_failed. */
struct rejection_counts {
    uint64_t n_silent;    /* there was no text */
    uint64_t n_ended;     /* the client closed: it had the text, or did not want it */
    uint64_t n_timed_out; /* still open after REJECTION_LIMIT_USEC */
    uint64_t n_talkative; /* had sent REJECTION_READ_MAX_BYTES */
    uint64_t n_hurried;   /* closed at once, since REJECTIONS_MAX others were open */
    uint64_t n_failed;    /* the text could not be sent, or not completely */
};

struct rejections;

/* `event` is kept referenced. Returns 0 with *ret, which the caller frees, or a negative errno. */
int rejections_new(sd_event *event, struct rejections **ret);

/* Closes every connection that is still open. NULL does nothing. */
void rejections_free(struct rejections *rejections);

/* Takes over the connection *fd (-1 afterwards), sends the text, which has its own CRLF, and closes
 * the connection in the end; at once if there is no text (length 0). Never waits, never fails, and
 * tries to write once. No event source may watch the descriptor any more. */
void rejection_send(struct rejections *rejections, int *fd, const char *text, size_t length);

/* How many connections are being drained: 0 to REJECTIONS_MAX. */
unsigned rejections_n_open(const struct rejections *rejections);

const struct rejection_counts *rejections_counts(const struct rejections *rejections);
