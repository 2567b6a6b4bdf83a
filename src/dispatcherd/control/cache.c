/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/control/cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *copy_of(const char *bytes, size_t size)
{
    char *copy = malloc(size);

    return copy ? memcpy(copy, bytes, size) : NULL;
}

static void forget(struct control_cached *cached)
{
    free(cached->reply);
    cached->reply = NULL;
}

bool control_cache_find(struct control_cache *cache, const char *key, uint64_t now, char **ret,
                        size_t *ret_size)
{
    for (size_t i = 0; i < CONTROL_CACHE_REPLIES; i++) {
        struct control_cached *cached = &cache->replies[i];

        if (cached->reply && now >= cached->expires_at)
            forget(cached);
        if (!cached->reply || strcmp(cached->key, key) != 0)
            continue;
        char *copy = copy_of(cached->reply, cached->size);
        if (!copy)
            return false;
        *ret = copy;
        *ret_size = cached->size;
        return true;
    }
    return false;
}

/* The place of that key, or a free one, or the one that expires first. */
static struct control_cached *place_for(struct control_cache *cache, const char *key)
{
    struct control_cached *found = &cache->replies[0];

    for (size_t i = 0; i < CONTROL_CACHE_REPLIES; i++) {
        struct control_cached *cached = &cache->replies[i];

        if (cached->reply && strcmp(cached->key, key) == 0)
            return cached;
        if (found->reply && (!cached->reply || cached->expires_at < found->expires_at))
            found = cached;
    }
    return found;
}

static uint64_t age_for(uint64_t cost_usec)
{
    uint64_t age = cost_usec * CONTROL_CACHE_COST_FACTOR;

    if (age < CONTROL_CACHE_AGE_MIN_USEC)
        return CONTROL_CACHE_AGE_MIN_USEC;
    return age < CONTROL_CACHE_AGE_MAX_USEC ? age : CONTROL_CACHE_AGE_MAX_USEC;
}

void control_cache_keep(struct control_cache *cache, const char *key, const char *reply,
                        size_t size, uint64_t cost_usec, uint64_t now)
{
    struct control_cached *cached = place_for(cache, key);
    char *copy = copy_of(reply, size);

    if (!copy)
        return;
    forget(cached);
    snprintf(cached->key, sizeof(cached->key), "%s", key);
    cached->reply = copy;
    cached->size = size;
    cached->expires_at = now + age_for(cost_usec);
}

void control_cache_clear(struct control_cache *cache)
{
    for (size_t i = 0; i < CONTROL_CACHE_REPLIES; i++)
        forget(&cache->replies[i]);
}
