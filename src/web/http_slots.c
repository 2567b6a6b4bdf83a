/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "web/http_slots.h"

struct http_slot *http_slots_take(struct http_slots *slots, void *connection, uint64_t now)
{
    for (size_t i = 0; i < HTTP_SLOTS_MAX; i++) {
        struct http_slot *slot = &slots->slots[i];

        if (slot->connection)
            continue;
        *slot = (struct http_slot){.connection = connection, .opened_at = now};
        return slot;
    }
    return NULL;
}

void http_slot_answer(struct http_slot *slot, uint64_t now)
{
    if (slot->answered_at == 0)
        slot->answered_at = now;
}

void http_slot_free(struct http_slot *slot)
{
    *slot = (struct http_slot){0};
}

static bool is_served(const struct http_slot *slot)
{
    return slot->connection && !slot->is_ended;
}

static uint64_t expires_at(const struct http_slot *slot)
{
    return slot->opened_at +
           (slot->answered_at > 0 ? HTTP_SLOT_TOTAL_LIMIT_USEC : HTTP_SLOT_REQUEST_LIMIT_USEC);
}

static uint64_t displaceable_at(const struct http_slot *slot)
{
    return slot->answered_at > 0 ? slot->answered_at + HTTP_SLOT_ANSWER_GRACE_USEC
                                 : slot->opened_at + HTTP_SLOT_REQUEST_GRACE_USEC;
}

struct http_slot *http_slots_expire(struct http_slots *slots, uint64_t now)
{
    for (size_t i = 0; i < HTTP_SLOTS_MAX; i++) {
        struct http_slot *slot = &slots->slots[i];

        if (!is_served(slot) || now < expires_at(slot))
            continue;
        slot->is_ended = true;
        return slot;
    }
    return NULL;
}

static bool gives_way_before(const struct http_slot *a, const struct http_slot *b)
{
    if ((a->answered_at > 0) != (b->answered_at > 0))
        return a->answered_at == 0;
    return a->opened_at < b->opened_at;
}

static const struct http_slot *find_displaceable(const struct http_slots *slots, uint64_t now)
{
    const struct http_slot *found = NULL;

    for (size_t i = 0; i < HTTP_SLOTS_MAX; i++) {
        const struct http_slot *slot = &slots->slots[i];

        if (is_served(slot) && now >= displaceable_at(slot) &&
            (!found || gives_way_before(slot, found)))
            found = slot;
    }
    return found;
}

bool http_slots_can_displace(const struct http_slots *slots, uint64_t now)
{
    return find_displaceable(slots, now) != NULL;
}

struct http_slot *http_slots_displace(struct http_slots *slots, uint64_t now)
{
    const struct http_slot *found = find_displaceable(slots, now);

    if (!found)
        return NULL;
    struct http_slot *slot = &slots->slots[found - slots->slots];
    slot->is_ended = true;
    return slot;
}

uint64_t http_slots_wait(const struct http_slots *slots, bool is_full, uint64_t now)
{
    bool awaits_grace = is_full && !http_slots_can_displace(slots, now);
    uint64_t at = UINT64_MAX;

    for (size_t i = 0; i < HTTP_SLOTS_MAX; i++) {
        const struct http_slot *slot = &slots->slots[i];

        if (!is_served(slot))
            continue;
        uint64_t next = awaits_grace ? displaceable_at(slot) : expires_at(slot);
        at = next < at ? next : at;
    }
    if (at == UINT64_MAX)
        return at;
    return at > now ? at - now : 0;
}
