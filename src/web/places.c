/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "web/places.h"

struct place *places_take(struct places *places, void *connection, uint64_t now)
{
    for (size_t i = 0; i < PLACES_MAX; i++) {
        struct place *place = &places->places[i];

        if (place->connection)
            continue;
        *place = (struct place){.connection = connection, .opened_at = now};
        return place;
    }
    return NULL;
}

void place_answer(struct place *place, uint64_t now)
{
    if (place->answered_at == 0)
        place->answered_at = now;
}

void place_free(struct place *place)
{
    *place = (struct place){0};
}

static bool is_served(const struct place *place)
{
    return place->connection && !place->is_ended;
}

static uint64_t expires_at(const struct place *place)
{
    return place->opened_at +
           (place->answered_at > 0 ? PLACE_TOTAL_LIMIT_USEC : PLACE_REQUEST_LIMIT_USEC);
}

static uint64_t displaceable_at(const struct place *place)
{
    return place->answered_at > 0 ? place->answered_at + PLACE_ANSWER_GRACE_USEC
                                  : place->opened_at + PLACE_REQUEST_GRACE_USEC;
}

struct place *places_expire(struct places *places, uint64_t now)
{
    for (size_t i = 0; i < PLACES_MAX; i++) {
        struct place *place = &places->places[i];

        if (!is_served(place) || now < expires_at(place))
            continue;
        place->is_ended = true;
        return place;
    }
    return NULL;
}

static bool gives_way_before(const struct place *a, const struct place *b)
{
    if ((a->answered_at > 0) != (b->answered_at > 0))
        return a->answered_at == 0;
    return a->opened_at < b->opened_at;
}

static const struct place *find_displaceable(const struct places *places, uint64_t now)
{
    const struct place *found = NULL;

    for (size_t i = 0; i < PLACES_MAX; i++) {
        const struct place *place = &places->places[i];

        if (is_served(place) && now >= displaceable_at(place) &&
            (!found || gives_way_before(place, found)))
            found = place;
    }
    return found;
}

bool places_can_displace(const struct places *places, uint64_t now)
{
    return find_displaceable(places, now) != NULL;
}

struct place *places_displace(struct places *places, uint64_t now)
{
    const struct place *found = find_displaceable(places, now);

    if (!found)
        return NULL;
    struct place *place = &places->places[found - places->places];
    place->is_ended = true;
    return place;
}

uint64_t places_wait(const struct places *places, bool is_full, uint64_t now)
{
    bool awaits_grace = is_full && !places_can_displace(places, now);
    uint64_t at = UINT64_MAX;

    for (size_t i = 0; i < PLACES_MAX; i++) {
        const struct place *place = &places->places[i];

        if (!is_served(place))
            continue;
        uint64_t next = awaits_grace ? displaceable_at(place) : expires_at(place);
        at = next < at ? next : at;
    }
    if (at == UINT64_MAX)
        return at;
    return at > now ? at - now : 0;
}
