/* Identifiers on their way to dispatcherd: acknowledgements, refusals, ends of sessions. Whoever
 * has news adds it and tries to send; what the channel does not take at once waits here and goes
 * out together. */
#pragma once

#include "protocol/message.h"

#include <pthread.h>
#include <stdbool.h>

struct outbox_queue {
    uint64_t ids[MESSAGE_IDS_MAX];
    size_t n_ids;
};

/* The order is that of sending: nothing may end before it was acknowledged. */
enum outbox_kind {
    OUTBOX_ACKNOWLEDGE,
    OUTBOX_REFUSE,
    OUTBOX_ENDED,
    N_OUTBOX_KINDS
};

struct outbox {
    pthread_mutex_t lock;
    struct outbox_queue queues[N_OUTBOX_KINDS];
};

void outbox_init(struct outbox *outbox);

/* Adds one. Returns false where there is no room, which a dispatcher that keeps its own limits
 * never causes. */
bool outbox_add(struct outbox *outbox, enum outbox_kind kind, uint64_t id);

/* Sends what is there. Returns 0 when all is sent, -EAGAIN when the channel is full, or another
 * negative errno when it is of no use any more (then nothing is kept). */
int outbox_flush(struct outbox *outbox, int channel);

bool outbox_is_empty(struct outbox *outbox);
