/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What this worker tells dispatcherd of its connections: written into the ring of protocol/ring.h
 * by whoever has news, and told by a packet only if dispatcherd would not look in time.
 *
 * It looks by itself while it waits for acknowledgements: within some milliseconds, so that nothing
 * else that was written by then needs a packet. That is the rule behind most of what is here. */
#pragma once

#include "protocol/message.h"
#include "protocol/ring.h"

#include <pthread.h>

struct news {
    pthread_mutex_t lock; /* taken last; never held during a system call, but for a new ring */
    struct ring_writer ring;
    uint64_t acknowledged_at; /* the ring's tail behind the last acknowledgement */
};

/* What is left to do for whoever has published something. */
enum news_next {
    NEWS_DONE,  /* nothing: dispatcherd will see it soon */
    NEWS_SEND,  /* news_send(), now */
    NEWS_LATER, /* news_remind() in a few milliseconds: it may have been seen by then */
};

void news_init(struct news *news);
void news_free(struct news *news);

/* Writes to this ring from now on, and takes it over. What was written to another one, and not
 * read, is forgotten. */
void news_use_ring(struct news *news, struct ring_writer *ring);

/* Acknowledges all these connections, at most BATCH_MAX. Returns 0, -EPIPE if dispatcherd has
 * given this worker up and no session may begin, or -ENOSPC if it has broken its rules. On
 * success *ret_next is DONE or SEND, and *ret_at is for news_end(). */
int news_acknowledge(struct news *news, const uint64_t ids[], size_t n, uint64_t *ret_at,
                     enum news_next *ret_next);

/* The connection is refused, or this worker drains (the identifier has no meaning then). */
enum news_next news_tell(struct news *news, enum message_type type, uint64_t id);

/* The session is over whose acknowledgement ended at `acknowledged_at`. `is_urgent`: dispatcherd
 * shall not look for it when it likes. */
enum news_next news_end(struct news *news, uint64_t id, uint64_t acknowledged_at, bool is_urgent);

/* Returns SEND if something is unread and nothing else will have dispatcherd look, else DONE. */
enum news_next news_remind(struct news *news);

/* Sends the packet. Returns false if it could not be sent by now: somebody is to news_remind()
 * later. */
bool news_send(struct news *news, int channel);
