/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "base/time.h"
#include "simulate/replay_internal.h"
#include "statistics/history.h"

#include <sys/socket.h>

/* An address for a hash: its first 48 bits are its network, as those of an IPv6 address are, and
 * its first 64 the source. */
static struct address address_of(uint64_t client)
{
    struct address address = {.family = AF_INET6};

    for (unsigned i = 0; i < 8; i++)
        address.bytes[i] = (uint8_t)(client >> (56 - 8 * i));
    return address;
}

/* What was decided by things that a recording does not have, the mapping file and DNS lists, stands
 * as it was. */
static bool is_rejected_for_ever(const struct replay *replay, const struct record_connection *facts)
{
    if (facts->end != HISTORY_REJECTED || facts->rejection == REJECTED_FOR_ADDRESS)
        return false;
    return facts->rejection != REJECTED_BY_THROTTLE || !replay->effective.has_throttle;
}

static bool is_beyond(uint32_t n, uint32_t limit)
{
    return limit > 0 && n > limit;
}

static bool is_beyond_limits(struct replay *replay, const struct address *peer,
                             struct counted *counted)
{
    const struct record_options *options = &replay->effective.options;
    uint32_t n_of_address, n_of_network;

    addresses_add(&replay->addresses, peer, counted, &n_of_address, &n_of_network);
    return is_beyond(n_of_address, options->max_per_address) ||
           is_beyond(n_of_network, options->max_per_network);
}

bool replay_admits(struct replay *replay, uint32_t connection)
{
    const struct recorded_connection *recorded = &replay->service->connections[connection];
    const struct address peer = address_of(recorded->facts.client);
    struct counted *counted = &replay->connections[connection].counted;
    enum statistics_rejection reason;

    /* The order of the daemon's checks. */
    if (is_beyond_limits(replay, &peer, counted))
        reason = REJECTED_FOR_ADDRESS;
    else if (is_rejected_for_ever(replay, &recorded->facts))
        reason = (enum statistics_rejection)(recorded->facts.rejection % N_STATISTICS_REJECTIONS);
    else if (replay->effective.has_throttle && replay->effective.throttle > 0 &&
             throttle_is_over(replay->throttle, THROTTLE_PLAIN, &peer, replay->effective.throttle,
                              replay->now))
        reason = REJECTED_BY_THROTTLE;
    else
        return true;
    if (recorded->at >= replay->course.from)
        replay->course.n_rejected[reason]++;
    replay_forget(replay, connection);
    return false;
}

void replay_forget(struct replay *replay, uint32_t connection)
{
    const struct address peer = address_of(replay->service->connections[connection].facts.client);

    addresses_remove(&replay->addresses, &peer, &replay->connections[connection].counted);
    replay->connections[connection].place = REPLAYED_DONE;
}
