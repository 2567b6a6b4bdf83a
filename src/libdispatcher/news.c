/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "libdispatcher/news.h"

#include "libdispatcher/internal.h"
#include "protocol/channel.h"

#include <assert.h>
#include <errno.h>

void news_init(struct news *news)
{
    pthread_mutex_init(&news->lock, NULL);
    news->ring = (struct ring_writer){0};
    news->acknowledged_at = 0;
}

void news_free(struct news *news)
{
    ring_writer_free(&news->ring);
}

void news_use_ring(struct news *news, struct ring_writer *ring)
{
    pthread_mutex_lock(&news->lock);
    ring_writer_free(&news->ring);
    news->ring = *ring;
    news->acknowledged_at = 0;
    pthread_mutex_unlock(&news->lock);
    *ring = (struct ring_writer){0};
}

size_t news_unread_put_off(struct news *news, uint64_t ids[], size_t max)
{
    size_t n = 0;

    pthread_mutex_lock(&news->lock);
    for (uint64_t i = news->ring.memory ? ring_head(&news->ring) : news->ring.tail;
         i < news->ring.tail && n < max; i++) {
        const struct ring_entry entry = ring_written(&news->ring, i);

        if (entry.type == MESSAGE_PUT_OFF || entry.type == MESSAGE_REFUSE)
            ids[n++] = entry.id;
    }
    pthread_mutex_unlock(&news->lock);
    return n;
}

/* Must be called with the lock held, as must will_look(). */
static enum news_next send_unless_sent(const struct news *news)
{
    return ring_poke(&news->ring) ? NEWS_SEND : NEWS_DONE;
}

static bool will_look(const struct news *news)
{
    return ring_head(&news->ring) < news->acknowledged_at;
}

int news_acknowledge(struct news *news, const uint64_t ids[], size_t n, uint64_t *ret_at,
                     enum news_next *ret_next)
{
    struct ring_entry entries[BATCH_MAX];

    assert(n <= BATCH_MAX);
    for (size_t i = 0; i < n; i++)
        entries[i] = (struct ring_entry){.id = ids[i], .type = MESSAGE_ACKNOWLEDGE};
    pthread_mutex_lock(&news->lock);
    int r = ring_publish(&news->ring, entries, n);
    if (r == 0) {
        *ret_at = news->acknowledged_at = news->ring.tail;
        *ret_next =
            ring_is_wanted(&news->ring, RING_WANTS_ANSWERS) ? send_unless_sent(news) : NEWS_DONE;
    }
    pthread_mutex_unlock(&news->lock);
    return r;
}

enum news_next news_tell(struct news *news, enum message_type type, uint64_t id)
{
    const struct ring_entry entry = {.id = id, .type = type};

    pthread_mutex_lock(&news->lock);
    enum news_next next =
        ring_publish(&news->ring, &entry, 1) == 0 ? send_unless_sent(news) : NEWS_DONE;
    pthread_mutex_unlock(&news->lock);
    return next;
}

/* dispatcherd closes its copy of the connection when it has read the acknowledgement; before that,
 * the client would not see the end. */
enum news_next news_end(struct news *news, enum message_type type, uint64_t id,
                        uint64_t acknowledged_at, bool is_urgent)
{
    const struct ring_entry entry = {.id = id, .type = type};
    enum news_next next = NEWS_LATER;

    pthread_mutex_lock(&news->lock);
    if (ring_publish(&news->ring, &entry, 1) < 0)
        next = NEWS_DONE;
    else if (is_urgent || ring_is_wanted(&news->ring, RING_WANTS_ENDS) ||
             ring_head(&news->ring) < acknowledged_at)
        next = send_unless_sent(news);
    else if (will_look(news))
        next = NEWS_DONE;
    pthread_mutex_unlock(&news->lock);
    return next;
}

enum news_next news_remind(struct news *news)
{
    enum news_next next = NEWS_DONE;

    pthread_mutex_lock(&news->lock);
    if (ring_head(&news->ring) < news->ring.tail && !will_look(news))
        next = send_unless_sent(news);
    pthread_mutex_unlock(&news->lock);
    return next;
}

bool news_send(struct news *news, int channel)
{
    uint8_t bytes[sizeof(struct message_header)];
    size_t length = message_write_value(bytes, sizeof(bytes), MESSAGE_NEWS, 0);

    /* If the channel is closed, dispatcherd has read the ring already, or never will. */
    if (channel_send(channel, bytes, length, NULL, 0) != -EAGAIN)
        return true;
    /* If the channel is full, dispatcherd reads the ring when it reads that. But the kernel may
     * have been short of memory. */
    pthread_mutex_lock(&news->lock);
    ring_unpoke(&news->ring);
    pthread_mutex_unlock(&news->lock);
    return false;
}
