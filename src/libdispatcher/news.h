/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What this worker reports to dispatcherd about its connections: any thread writes it into the ring
 * of protocol/ring.h, and sends a packet only if dispatcherd would not read the ring in time.
 *
 * While dispatcherd waits for acknowledgements, it reads the ring by itself within some
 * milliseconds, so that all entries written until then need no packet. Most of this module follows
 * from that. */
#pragma once

#include "protocol/message.h"
#include "protocol/ring.h"

#include <pthread.h>

struct news {
    pthread_mutex_t lock; /* taken last; never held during a system call, except for a new ring */
    struct ring_writer ring;
    uint64_t acknowledged_at; /* the ring's tail after the last acknowledgement */
};

/* What the caller must do after it has published something. */
enum news_next {
    NEWS_DONE,  /* nothing: dispatcherd will read it soon */
    NEWS_SEND,  /* call news_send() now */
    NEWS_LATER, /* call news_remind() in a few milliseconds: it may have been read by then */
};

void news_init(struct news *news);
void news_free(struct news *news);

/* Takes over this ring, and writes to it from now on. Entries of the last one that were not read
 * are dropped. */
void news_use_ring(struct news *news, struct ring_writer *ring);

/* Writes the identifiers of connections that were put off or refused, which dispatcherd has not
 * read, at most `max`; returns how many. None for programs that do not give `offer`. */
size_t news_unread_put_off(struct news *news, uint64_t ids[], size_t max);

/* Acknowledges these connections, at most BATCH_MAX. Returns 0; -EPIPE if dispatcherd has given
 * this worker up, and no session may begin; or -ENOSPC if dispatcherd has broken its rules. On
 * success *ret_next is DONE or SEND, and *ret_at is for news_end(). */
int news_acknowledge(struct news *news, const uint64_t ids[], size_t n, uint64_t *ret_at,
                     enum news_next *ret_next);

/* Reports that the connection is refused or put off, or that this worker drains (the identifier has
 * no meaning then). */
enum news_next news_tell(struct news *news, enum message_type type, uint64_t id);

/* The session has ended (ENDED), or another program has its connection (PASSED_ON).
 * `acknowledged_at` is where its acknowledgement ended. `is_urgent`: dispatcherd must not find it
 * only by chance. */
enum news_next news_end(struct news *news, enum message_type type, uint64_t id,
                        uint64_t acknowledged_at, bool is_urgent);

/* Returns SEND if something is unread and dispatcherd has no other reason to read it soon, else
 * DONE. */
enum news_next news_remind(struct news *news);

/* Sends the packet. Returns false if it could not be sent now: news_remind() must be called later.
 */
bool news_send(struct news *news, int channel);
