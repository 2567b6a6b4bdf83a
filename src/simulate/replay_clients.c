/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Clients that wait: their order, and those that do not wait any longer. */
#include "simulate/replay_internal.h"
#include "statistics/history.h"

#include <assert.h>

void replay_queue_put(struct replay *replay, struct replay_queue *queue, uint32_t connection)
{
    replay->connections[connection].next = REPLAY_NOBODY;
    if (queue->first == REPLAY_NOBODY)
        queue->first = connection;
    else
        replay->connections[queue->last].next = connection;
    queue->last = connection;
}

uint32_t replay_queue_first(const struct replay *replay, struct replay_queue *queue)
{
    while (queue->first != REPLAY_NOBODY &&
           replay->connections[queue->first].place == REPLAYED_DONE)
        queue->first = replay->connections[queue->first].next;
    return queue->first;
}

uint32_t replay_queue_take(const struct replay *replay, struct replay_queue *queue)
{
    uint32_t connection = replay_queue_first(replay, queue);

    assert(connection != REPLAY_NOBODY);
    queue->first = replay->connections[connection].next;
    return connection;
}

/* The daemon notices it, too, of clients that it has accepted. One in the kernel's queue costs
 * nothing when its turn comes, so that it may go at once. */
void replay_leave(struct replay *replay, uint32_t connection)
{
    switch (replay->connections[connection].place) {
    case REPLAYED_QUEUED:
        break;
    case REPLAYED_CHECKING:
        pool_checking_ended(replay->pool);
        break;
    case REPLAYED_WAITING:
        pool_waiting_ended(replay->pool);
        break;
    case REPLAYED_DONE:
        return;
    }
    replay->course.n_left += replay_arrival(replay, connection) >= replay->course.from;
    replay_forget(replay, connection);
}

uint64_t replay_patience(const struct record_connection *facts)
{
    if (facts->was_handed || facts->end == HISTORY_REJECTED)
        return UINT64_MAX;
    return (uint64_t)facts->queued_usec + facts->checked_usec + facts->waited_usec;
}
