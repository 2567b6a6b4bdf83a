/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "access/throttle.h"

#include "access/source.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

/* Changes with the layout of the block. */
#define THROTTLE_MAGIC UINT64_C(0x74687274746c3031)

/* Without gaps, so that its bytes can be hashed and compared. */
struct key {
    struct source source;
    uint32_t max_rate;
    uint32_t kind; /* enum throttle_kind */
};

static_assert(sizeof(struct key) == 20, "a key has no gaps");

struct entry {
    struct key key;
    uint32_t count;        /* in this window, with what is carried over */
    uint64_t window_at;    /* start of the window that the last call was in */
    uint32_t next;         /* of its chain; 0: the last */
    uint32_t newer, older; /* in the order of the last calls; 0: none */
};

/* Entries are numbered from 1, so that a block of zeros is an empty table. Behind this head stand
 * n_keys_max chains (the number of each one's first entry), then the entries. */
struct throttle {
    uint64_t magic;
    uint32_t n_keys_max;
    uint32_t n_keys; /* entries 1 to n_keys are in use */
    uint32_t newest, oldest;
    uint64_t n_evicted;
    struct siphash_key hash_key;
    uint32_t chains[];
};

/* Chains end where entries are aligned. */
static uint32_t n_chains(uint32_t n_keys_max)
{
    return (n_keys_max + 1) / 2 * 2;
}

static struct entry *entry_of(struct throttle *throttle, uint32_t number)
{
    void *entries = throttle->chains + n_chains(throttle->n_keys_max);

    assert(number > 0 && number <= throttle->n_keys_max);
    return (struct entry *)entries + (number - 1);
}

static uint32_t *chain_of(struct throttle *throttle, const struct key *key)
{
    return &throttle
                ->chains[siphash(&throttle->hash_key, key, sizeof(*key)) % throttle->n_keys_max];
}

/* The link that leads to the entry with the key, or to the end of its chain. */
static uint32_t *link_to(struct throttle *throttle, const struct key *key)
{
    uint32_t *link = chain_of(throttle, key);

    while (*link > 0) {
        struct entry *entry = entry_of(throttle, *link);

        if (memcmp(&entry->key, key, sizeof(*key)) == 0)
            break;
        link = &entry->next;
    }
    return link;
}

static void unlist(struct throttle *throttle, const struct entry *entry)
{
    if (entry->newer > 0)
        entry_of(throttle, entry->newer)->older = entry->older;
    else
        throttle->newest = entry->older;
    if (entry->older > 0)
        entry_of(throttle, entry->older)->newer = entry->newer;
    else
        throttle->oldest = entry->newer;
}

static void list_as_newest(struct throttle *throttle, uint32_t number)
{
    struct entry *entry = entry_of(throttle, number);

    entry->newer = 0;
    entry->older = throttle->newest;
    if (throttle->newest > 0)
        entry_of(throttle, throttle->newest)->newer = number;
    else
        throttle->oldest = number;
    throttle->newest = number;
}

/* A number that is free, if need be after the oldest key has gone. */
static uint32_t take_number(struct throttle *throttle)
{
    if (throttle->n_keys < throttle->n_keys_max)
        return ++throttle->n_keys;
    uint32_t number = throttle->oldest;
    struct entry *entry = entry_of(throttle, number);
    uint32_t *link = link_to(throttle, &entry->key);

    *link = entry->next;
    unlist(throttle, entry);
    throttle->n_evicted++;
    return number;
}

static struct entry *find_or_add(struct throttle *throttle, const struct key *key,
                                 uint64_t now_usec)
{
    uint32_t number = *link_to(throttle, key);

    if (number > 0) {
        unlist(throttle, entry_of(throttle, number));
    } else {
        number = take_number(throttle);
        /* The chain may have changed when another key went. */
        uint32_t *chain = chain_of(throttle, key);
        *entry_of(throttle, number) =
            (struct entry){.key = *key, .window_at = now_usec, .next = *chain};
        *chain = number;
    }
    list_as_newest(throttle, number);
    return entry_of(throttle, number);
}

/* Ends the windows that are over. */
static void advance(struct entry *entry, uint64_t now_usec)
{
    if (now_usec < entry->window_at || now_usec - entry->window_at < THROTTLE_WINDOW_USEC)
        return;
    uint64_t n_windows = (now_usec - entry->window_at) / THROTTLE_WINDOW_USEC;

    entry->window_at += n_windows * THROTTLE_WINDOW_USEC;
    /* As many windows as the largest count empty any; the product stays within 64 bits. */
    if (n_windows > UINT32_MAX)
        n_windows = UINT32_MAX;
    uint64_t n_off = n_windows * entry->key.max_rate;
    if (entry->key.kind == THROTTLE_PLAIN || n_off >= entry->count)
        entry->count = 0;
    else
        entry->count -= (uint32_t)n_off;
}

bool throttle_is_over(struct throttle *throttle, enum throttle_kind kind,
                      const struct address *address, uint32_t max_rate, uint64_t now_usec)
{
    struct key key = {.max_rate = max_rate, .kind = kind};

    if (!source_of(address, &key.source))
        return false;
    struct entry *entry = find_or_add(throttle, &key, now_usec);
    advance(entry, now_usec);
    if (entry->count < UINT32_MAX)
        entry->count++;
    return entry->count > max_rate;
}

bool throttle_would_be_over(struct throttle *throttle, enum throttle_kind kind,
                            const struct address *address, uint32_t max_rate, uint64_t now_usec,
                            uint32_t *ret_count)
{
    struct key key = {.max_rate = max_rate, .kind = kind};

    *ret_count = 0;
    if (!source_of(address, &key.source))
        return false;
    uint32_t number = *link_to(throttle, &key);
    if (number > 0) {
        struct entry entry = *entry_of(throttle, number);

        advance(&entry, now_usec);
        *ret_count = entry.count;
    }
    return *ret_count >= max_rate;
}

uint32_t throttle_n_keys(const struct throttle *throttle)
{
    return throttle->n_keys;
}

uint64_t throttle_n_evicted(const struct throttle *throttle)
{
    return throttle->n_evicted;
}

size_t throttle_size(uint32_t n_keys_max)
{
    return sizeof(struct throttle) + n_chains(n_keys_max) * sizeof(uint32_t) +
           n_keys_max * sizeof(struct entry);
}

struct throttle *throttle_format(void *memory, uint32_t n_keys_max, const struct siphash_key *key)
{
    struct throttle *throttle = memory;

    throttle->magic = THROTTLE_MAGIC;
    throttle->n_keys_max = n_keys_max;
    throttle->hash_key = *key;
    return throttle;
}

int throttle_new(uint32_t n_keys_max, const struct siphash_key *key, struct throttle **ret)
{
    if (n_keys_max == 0 || n_keys_max > THROTTLE_KEYS_MAX)
        return -EINVAL;
    void *memory = mmap(NULL, throttle_size(n_keys_max), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return -ENOMEM;
    *ret = throttle_format(memory, n_keys_max, key);
    return 0;
}

void throttle_free(struct throttle *throttle)
{
    if (throttle)
        (void)munmap(throttle, throttle_size(throttle->n_keys_max));
}

/* The list is one line through every entry. A process that was killed may have left half a
 * change. */
static bool is_list_sound(struct throttle *throttle)
{
    uint32_t n = 0, newer = 0;

    for (uint32_t number = throttle->newest; number > 0; n++) {
        if (number > throttle->n_keys || n == throttle->n_keys)
            return false;
        const struct entry *entry = entry_of(throttle, number);
        if (entry->newer != newer)
            return false;
        newer = number;
        number = entry->older;
    }
    return n == throttle->n_keys && throttle->oldest == newer;
}

/* Each entry stands in one chain, its own. */
static bool are_chains_sound(struct throttle *throttle)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < throttle->n_keys_max; i++)
        for (uint32_t number = throttle->chains[i]; number > 0; n++) {
            if (number > throttle->n_keys || n == throttle->n_keys)
                return false;
            const struct entry *entry = entry_of(throttle, number);
            if (chain_of(throttle, &entry->key) != &throttle->chains[i])
                return false;
            number = entry->next;
        }
    return n == throttle->n_keys;
}

struct throttle *throttle_adopt(void *memory, size_t size)
{
    struct throttle *throttle = memory;

    if (size < sizeof(*throttle) || throttle->magic != THROTTLE_MAGIC ||
        throttle->n_keys_max == 0 || throttle->n_keys_max > THROTTLE_KEYS_MAX ||
        throttle_size(throttle->n_keys_max) != size || throttle->n_keys > throttle->n_keys_max)
        return NULL;
    return is_list_sound(throttle) && are_chains_sound(throttle) ? throttle : NULL;
}
