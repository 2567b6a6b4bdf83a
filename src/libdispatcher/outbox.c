#include "libdispatcher/outbox.h"

#include "protocol/channel.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

/* Identifiers in one message: it is written on the stack of a session, which may be small. */
enum {
    IDS_AT_ONCE = 128
};

/* One packet: a message of each kind that there is something of. */
struct outgoing {
    size_t n_ids[N_OUTBOX_KINDS];
    size_t length;
    uint64_t bytes[N_OUTBOX_KINDS + IDS_AT_ONCE];
};

static const enum message_type types[N_OUTBOX_KINDS] = {
    [OUTBOX_ACKNOWLEDGE] = MESSAGE_ACKNOWLEDGE,
    [OUTBOX_DRAINING] = MESSAGE_DRAINING,
    [OUTBOX_REFUSE] = MESSAGE_REFUSE,
    [OUTBOX_ENDED] = MESSAGE_ENDED,
};

void outbox_init(struct outbox *outbox)
{
    pthread_mutex_init(&outbox->send_lock, NULL);
    pthread_mutex_init(&outbox->lock, NULL);
    for (int kind = 0; kind < N_OUTBOX_KINDS; kind++)
        outbox->queues[kind].n_ids = 0;
    outbox->is_closed = false;
    outbox->n_lost = 0;
}

void outbox_add(struct outbox *outbox, enum outbox_kind kind, uint64_t id)
{
    struct outbox_queue *queue = &outbox->queues[kind];

    pthread_mutex_lock(&outbox->lock);
    if (!outbox->is_closed) {
        assert(queue->n_ids < MESSAGE_IDS_MAX);
        queue->ids[queue->n_ids++] = id;
    } else if (kind == OUTBOX_ACKNOWLEDGE) {
        outbox->n_lost++;
    }
    pthread_mutex_unlock(&outbox->lock);
}

/* Writes the next packet, and leaves its identifiers where they are. Returns 1, 0 where there is
 * nothing to send, or -EPIPE. */
static int write_next(struct outbox *outbox, struct outgoing *ret)
{
    size_t room = IDS_AT_ONCE;

    ret->length = 0;
    pthread_mutex_lock(&outbox->lock);
    int r = outbox->is_closed ? -EPIPE : 0;
    for (int kind = 0; kind < N_OUTBOX_KINDS && r >= 0; kind++) {
        const struct outbox_queue *queue = &outbox->queues[kind];
        uint8_t *at = (uint8_t *)ret->bytes + ret->length;
        size_t size = sizeof(ret->bytes) - ret->length;
        size_t n = queue->n_ids < room ? queue->n_ids : room;

        ret->n_ids[kind] = n;
        if (n == 0)
            continue;
        room -= n;
        ret->length += kind == OUTBOX_DRAINING
                           ? message_write_value(at, size, types[kind], 0)
                           : message_write_ids(at, size, types[kind], queue->ids, n);
        r = 1;
    }
    pthread_mutex_unlock(&outbox->lock);
    return r;
}

static void forget_sent(struct outbox *outbox, const struct outgoing *sent)
{
    pthread_mutex_lock(&outbox->lock);
    for (int kind = 0; kind < N_OUTBOX_KINDS; kind++) {
        struct outbox_queue *queue = &outbox->queues[kind];

        queue->n_ids -= sent->n_ids[kind];
        memmove(queue->ids, queue->ids + sent->n_ids[kind], queue->n_ids * sizeof(*queue->ids));
    }
    pthread_mutex_unlock(&outbox->lock);
}

void outbox_discard(struct outbox *outbox)
{
    pthread_mutex_lock(&outbox->lock);
    for (int kind = 0; kind < N_OUTBOX_KINDS; kind++)
        outbox->queues[kind].n_ids = 0;
    pthread_mutex_unlock(&outbox->lock);
}

static void close_outbox(struct outbox *outbox)
{
    pthread_mutex_lock(&outbox->lock);
    outbox->is_closed = true;
    outbox->n_lost += outbox->queues[OUTBOX_ACKNOWLEDGE].n_ids;
    pthread_mutex_unlock(&outbox->lock);
    outbox_discard(outbox);
}

void outbox_hold(struct outbox *outbox)
{
    pthread_mutex_lock(&outbox->send_lock);
}

void outbox_release(struct outbox *outbox)
{
    pthread_mutex_unlock(&outbox->send_lock);
}

/* Called with the send lock held, which it gives back. */
static int send_all(struct outbox *outbox, int channel)
{
    struct outgoing next;
    int r;

    while ((r = write_next(outbox, &next)) > 0) {
        r = channel_send(channel, next.bytes, next.length, NULL, 0);
        if (r < 0)
            break;
        forget_sent(outbox, &next);
    }
    if (r < 0 && r != -EAGAIN)
        close_outbox(outbox);
    pthread_mutex_unlock(&outbox->send_lock);
    return r;
}

/* What another thread added while the send lock was held, it may have left to us. */
static int send_all_and_more(struct outbox *outbox, int channel)
{
    int r;

    do
        r = send_all(outbox, channel);
    while (r == 0 && !outbox_is_empty(outbox) && pthread_mutex_trylock(&outbox->send_lock) == 0);
    return r;
}

int outbox_flush(struct outbox *outbox, int channel)
{
    pthread_mutex_lock(&outbox->send_lock);
    return send_all_and_more(outbox, channel);
}

int outbox_flush_unless_busy(struct outbox *outbox, int channel)
{
    return pthread_mutex_trylock(&outbox->send_lock) == 0 ? send_all_and_more(outbox, channel) : 0;
}

size_t outbox_take_lost(struct outbox *outbox)
{
    pthread_mutex_lock(&outbox->lock);
    size_t n_lost = outbox->n_lost;
    outbox->n_lost = 0;
    pthread_mutex_unlock(&outbox->lock);
    return n_lost;
}

size_t outbox_count(struct outbox *outbox, enum outbox_kind kind)
{
    pthread_mutex_lock(&outbox->lock);
    size_t n = outbox->queues[kind].n_ids;
    pthread_mutex_unlock(&outbox->lock);
    return n;
}

bool outbox_is_empty(struct outbox *outbox)
{
    bool is_empty = true;

    pthread_mutex_lock(&outbox->lock);
    for (int kind = 0; kind < N_OUTBOX_KINDS; kind++)
        is_empty = is_empty && outbox->queues[kind].n_ids == 0;
    pthread_mutex_unlock(&outbox->lock);
    return is_empty;
}
