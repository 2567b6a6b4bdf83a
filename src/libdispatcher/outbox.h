/* What is on its way to dispatcherd: acknowledgements, refusals, ends of sessions. Whoever has
 * news adds it and tries to send; what the channel does not take at once waits here and goes out
 * together.
 *
 * No queue can overflow: nobody takes more connections while the channel is full,
 * and a session starts only when everything before it has been sent. */
#pragma once

#include "protocol/message.h"

#include <pthread.h>
#include <stdbool.h>

struct outbox_queue {
    uint64_t ids[MESSAGE_IDS_MAX];
    size_t n_ids;
};

/* The order is that of sending: nothing may end before it was acknowledged, and whoever reads a
 * refusal shall know already that the worker drains. */
enum outbox_kind {
    OUTBOX_ACKNOWLEDGE,
    OUTBOX_DRAINING, /* its id has no meaning */
    OUTBOX_REFUSE,
    OUTBOX_ENDED,
    N_OUTBOX_KINDS
};

struct outbox {
    pthread_mutex_t send_lock; /* one sender at a time, so that the order holds; taken first */
    pthread_mutex_t lock;      /* guards the rest; never held during a system call */
    struct outbox_queue queues[N_OUTBOX_KINDS];
    bool is_closed; /* dispatcherd is gone: nothing is kept any more */
    size_t n_lost;  /* acknowledgements that could not be sent before */
};

void outbox_init(struct outbox *outbox);

void outbox_add(struct outbox *outbox, enum outbox_kind kind, uint64_t id);

/* Sends what is there. Returns 0 when all is sent, -EAGAIN when the channel is full, or another
 * negative errno, from then on always, when it is of no use any more. */
int outbox_flush(struct outbox *outbox, int channel);

/* The same, but where another thread is just sending, it is left to that thread, and 0 is
 * returned. */
int outbox_flush_unless_busy(struct outbox *outbox, int channel);

/* For somebody who sends on the channel himself: between the two, nobody else does. */
void outbox_hold(struct outbox *outbox);
void outbox_release(struct outbox *outbox);

/* Forgets all that waits to be sent. */
void outbox_discard(struct outbox *outbox);

/* How many acknowledgements could not be sent because the outbox was closed, since this was last
 * asked: those that were added last. Another thread may have sent the others. */
size_t outbox_take_lost(struct outbox *outbox);

/* How many of a kind wait. */
size_t outbox_count(struct outbox *outbox, enum outbox_kind kind);

bool outbox_is_empty(struct outbox *outbox);
