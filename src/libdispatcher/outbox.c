#include "libdispatcher/outbox.h"

#include "protocol/channel.h"

#include <errno.h>

static const enum message_type types[N_OUTBOX_KINDS] = {
    [OUTBOX_ACKNOWLEDGE] = MESSAGE_ACKNOWLEDGE,
    [OUTBOX_REFUSE] = MESSAGE_REFUSE,
    [OUTBOX_ENDED] = MESSAGE_ENDED,
};

void outbox_init(struct outbox *outbox)
{
    pthread_mutex_init(&outbox->lock, NULL);
    for (int kind = 0; kind < N_OUTBOX_KINDS; kind++)
        outbox->queues[kind].n_ids = 0;
}

bool outbox_add(struct outbox *outbox, enum outbox_kind kind, uint64_t id)
{
    struct outbox_queue *queue = &outbox->queues[kind];

    pthread_mutex_lock(&outbox->lock);
    bool has_room = queue->n_ids < MESSAGE_IDS_MAX;
    if (has_room)
        queue->ids[queue->n_ids++] = id;
    pthread_mutex_unlock(&outbox->lock);
    return has_room;
}

static int send_queue(struct outbox_queue *queue, enum message_type type, int channel)
{
    /* Sent in pieces that fit a modest stack: session threads may have small ones. */
    enum {
        IDS_AT_ONCE = 128
    };
    uint64_t message[1 + IDS_AT_ONCE];
    size_t n_sent = 0;
    int r = 0;

    while (n_sent < queue->n_ids) {
        size_t n = queue->n_ids - n_sent;

        if (n > IDS_AT_ONCE)
            n = IDS_AT_ONCE;
        size_t length = message_write_ids(message, sizeof(message), type, queue->ids + n_sent, n);
        r = channel_send(channel, message, length, NULL, 0);
        if (r < 0)
            break;
        n_sent += n;
    }
    for (size_t i = n_sent; i < queue->n_ids; i++)
        queue->ids[i - n_sent] = queue->ids[i];
    queue->n_ids -= n_sent;
    return r;
}

int outbox_flush(struct outbox *outbox, int channel)
{
    int r = 0;

    pthread_mutex_lock(&outbox->lock);
    for (int kind = 0; kind < N_OUTBOX_KINDS && r == 0; kind++)
        r = send_queue(&outbox->queues[kind], types[kind], channel);
    if (r < 0 && r != -EAGAIN)
        for (int kind = 0; kind < N_OUTBOX_KINDS; kind++)
            outbox->queues[kind].n_ids = 0;
    pthread_mutex_unlock(&outbox->lock);
    return r;
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
