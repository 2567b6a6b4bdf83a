/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dns/dns_cache.h"

#include "base/siphash.h"
#include "base/time.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

struct entry {
    LIST_ENTRY(entry) in_bucket;
    TAILQ_ENTRY(entry) by_use; /* the one used most recently is the last */
    uint64_t until_usec;
    uint32_t ttl_sec;
    enum dns_type type;
    enum dns_answer meaning;
    struct in_addr address;
    const char *text; /* in `name`, after its NUL */
    char name[];
};

LIST_HEAD(bucket, entry);

struct dns_cache {
    struct siphash_key key;
    TAILQ_HEAD(, entry) by_use;
    size_t n_entries;
    size_t n_max;
    size_t n_buckets;
    struct bucket buckets[];
};

static struct bucket *bucket_of(struct dns_cache *cache, const char *name)
{
    return &cache->buckets[siphash(&cache->key, name, strlen(name)) % cache->n_buckets];
}

static struct entry *find(struct dns_cache *cache, const char *name, enum dns_type type)
{
    struct entry *entry;

    LIST_FOREACH(entry, bucket_of(cache, name), in_bucket)
        if (entry->type == type && strcmp(entry->name, name) == 0)
            return entry;
    return NULL;
}

static void drop(struct dns_cache *cache, struct entry *entry)
{
    LIST_REMOVE(entry, in_bucket);
    TAILQ_REMOVE(&cache->by_use, entry, by_use);
    cache->n_entries--;
    free(entry);
}

int dns_cache_new(size_t n_max, struct dns_cache **ret)
{
    struct dns_cache *cache = calloc(1, sizeof(*cache) + n_max * sizeof(cache->buckets[0]));

    if (!cache)
        return -ENOMEM;
    cache->n_max = n_max;
    cache->n_buckets = n_max;
    TAILQ_INIT(&cache->by_use);
    int r = siphash_key_random(&cache->key);
    if (r < 0) {
        free(cache);
        return r;
    }
    *ret = cache;
    return 0;
}

void dns_cache_free(struct dns_cache *cache)
{
    if (!cache)
        return;
    while (!TAILQ_EMPTY(&cache->by_use))
        drop(cache, TAILQ_FIRST(&cache->by_use));
    free(cache);
}

bool dns_cache_find(struct dns_cache *cache, const char *name, enum dns_type type,
                    uint64_t now_usec, struct dns_fact *ret)
{
    struct entry *entry = find(cache, name, type);

    if (!entry)
        return false;
    if (entry->until_usec <= now_usec) {
        drop(cache, entry);
        return false;
    }
    TAILQ_REMOVE(&cache->by_use, entry, by_use);
    TAILQ_INSERT_TAIL(&cache->by_use, entry, by_use);
    *ret = (struct dns_fact){
        .meaning = entry->meaning, .address = entry->address, .ttl_sec = entry->ttl_sec};
    strcpy(ret->text, entry->text);
    return true;
}

void dns_cache_put(struct dns_cache *cache, const char *name, enum dns_type type, uint64_t now_usec,
                   const struct dns_fact *fact)
{
    struct entry *old = find(cache, name, type);
    size_t name_size = strlen(name) + 1;
    size_t text_size = strlen(fact->text) + 1;

    if (old)
        drop(cache, old);
    else if (cache->n_entries >= cache->n_max)
        drop(cache, TAILQ_FIRST(&cache->by_use));
    struct entry *entry = malloc(sizeof(*entry) + name_size + text_size);
    if (!entry)
        return;
    memcpy(entry->name, name, name_size);
    memcpy(entry->name + name_size, fact->text, text_size);
    entry->text = entry->name + name_size;
    entry->type = type;
    entry->meaning = fact->meaning;
    entry->address = fact->address;
    entry->ttl_sec = fact->ttl_sec;
    entry->until_usec = time_add_usec(now_usec, fact->ttl_sec * USEC_PER_SEC);
    LIST_INSERT_HEAD(bucket_of(cache, name), entry, in_bucket);
    TAILQ_INSERT_TAIL(&cache->by_use, entry, by_use);
    cache->n_entries++;
}

size_t dns_cache_n_entries(const struct dns_cache *cache)
{
    return cache->n_entries;
}
