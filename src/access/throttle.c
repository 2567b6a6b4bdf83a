/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "access/throttle.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

/* To be changed with the layout of the block. */
#define THROTTLE_MAGIC UINT64_C(0x74687274746c3033)

static_assert(sizeof(struct throttle_key) == 24, "a key has no gaps");

/* In place of an offset: each key's windows have their own. */
#define OFFSET_NONE UINT64_MAX

struct entry {
    struct throttle_key key;
    uint32_t count;     /* in this window, including what was carried over */
    uint64_t window_at; /* start of the window that the last call was in */
    uint64_t others_at; /* see struct throttle_view */
    uint32_t others;
    uint32_t next;         /* of its chain; 0: the last */
    uint32_t newer, older; /* in the order of the last use; 0: none */
};

/* Entries are numbered from 1, so that a block of zeros is an empty table. This head is followed by
 * n_keys_max chains (each the number of its first entry), and then by the entries. */
struct throttle {
    uint64_t magic;
    uint32_t n_keys_max;
    uint32_t n_keys; /* entries 1 to n_keys are in use */
    uint32_t newest, oldest;
    uint64_t n_evicted;
    uint64_t offset_usec; /* of all windows; OFFSET_NONE */
    struct siphash_key hash_key;
    uint32_t chains[];
};

/* The number of chains is rounded up so that the entries after them are aligned. */
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

static uint32_t *chain_of(struct throttle *throttle, const struct throttle_key *key)
{
    return &throttle
                ->chains[siphash(&throttle->hash_key, key, sizeof(*key)) % throttle->n_keys_max];
}

/* The link that leads to the key's entry, or the end of its chain. */
static uint32_t *link_to(struct throttle *throttle, const struct throttle_key *key)
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

/* A free number; if there is none, the key that was not used for the longest is dropped. */
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

static struct entry *find_or_add(struct throttle *throttle, const struct throttle_key *key,
                                 uint64_t now_usec)
{
    uint32_t number = *link_to(throttle, key);

    if (number > 0) {
        unlist(throttle, entry_of(throttle, number));
    } else {
        number = take_number(throttle);
        /* Dropping a key may have changed the chain. */
        uint32_t *chain = chain_of(throttle, key);
        *entry_of(throttle, number) = (struct entry){
            .key = *key, .window_at = throttle_window_at(throttle, key, now_usec), .next = *chain};
        *chain = number;
    }
    list_as_newest(throttle, number);
    return entry_of(throttle, number);
}

/* Ends n windows. What exceeds the rate in all hosts together is carried over, by each host in
 * proportion to its own count. As each host knows at most what the others have counted, the sum of
 * what they carry over is never more than the excess. */
static void end_windows(struct entry *entry, uint64_t n_windows)
{
    uint64_t total = (uint64_t)entry->count + entry->others;
    /* This many windows bring any count to 0, and the product below stays within 64 bits. */
    uint64_t n_off = (n_windows < UINT32_MAX ? n_windows : UINT32_MAX) * entry->key.max_rate;

    if (entry->key.kind == THROTTLE_PLAIN || n_off >= total)
        entry->count = 0;
    else
        entry->count = (uint32_t)((total - n_off) * entry->count / total);
    entry->others = 0;
    entry->others_at = 0;
}

/* Ends the windows that are over. */
static void advance(const struct throttle *throttle, struct entry *entry, uint64_t now_usec)
{
    uint64_t start = throttle_window_at(throttle, &entry->key, now_usec), at = entry->window_at;
    uint64_t n_windows = 0, length = throttle_window_usec(&entry->key);

    if (now_usec >= at && now_usec - at >= length)
        n_windows = (now_usec - at) / length;
    if (throttle->offset_usec == OFFSET_NONE) {
        entry->window_at += n_windows * length;
    } else if (start >= at + length / 2) {
        n_windows = (start - at + length / 2) / length;
        entry->window_at = start;
    } else if (n_windows > 0) {
        uint64_t next = start + length;

        /* Otherwise the rest of the common window, so that the next ones are common. */
        entry->window_at = next - now_usec < THROTTLE_SHIFT_USEC ? next : start;
    }
    if (n_windows > 0)
        end_windows(entry, n_windows);
}

static struct throttle_view view_of(const struct entry *entry, uint32_t number)
{
    return (struct throttle_view){.number = number,
                                  .own = entry->count,
                                  .others = entry->others,
                                  .others_at = entry->others_at,
                                  .window_at = entry->window_at};
}

bool throttle_count_key(struct throttle *throttle, const struct throttle_key *kind_of_key,
                        const struct address *address, uint64_t now_usec,
                        struct throttle_view *ret_view)
{
    struct throttle_key key = *kind_of_key;

    *ret_view = (struct throttle_view){0};
    if (!source_of(address, &key.source))
        return false;
    struct entry *entry = find_or_add(throttle, &key, now_usec);
    advance(throttle, entry, now_usec);
    if (entry->count < UINT32_MAX - entry->others)
        entry->count++;
    *ret_view = view_of(entry, throttle->newest);
    return (uint64_t)entry->count + entry->others > key.max_rate;
}

bool throttle_count(struct throttle *throttle, enum throttle_kind kind,
                    const struct address *address, uint32_t max_rate, uint64_t now_usec,
                    struct throttle_view *ret_view)
{
    const struct throttle_key key = {.max_rate = max_rate, .kind = kind};

    return throttle_count_key(throttle, &key, address, now_usec, ret_view);
}

bool throttle_is_over(struct throttle *throttle, enum throttle_kind kind,
                      const struct address *address, uint32_t max_rate, uint64_t now_usec)
{
    struct throttle_view view;

    return throttle_count(throttle, kind, address, max_rate, now_usec, &view);
}

bool throttle_key_would_be_over(struct throttle *throttle, const struct throttle_key *kind_of_key,
                                const struct address *address, uint64_t now_usec,
                                uint32_t *ret_count)
{
    struct throttle_key key = *kind_of_key;

    *ret_count = 0;
    if (!source_of(address, &key.source))
        return false;
    uint32_t number = *link_to(throttle, &key);
    if (number > 0) {
        struct entry entry = *entry_of(throttle, number);

        advance(throttle, &entry, now_usec);
        *ret_count = entry.count + entry.others;
    }
    return *ret_count >= key.max_rate;
}

bool throttle_would_be_over(struct throttle *throttle, enum throttle_kind kind,
                            const struct address *address, uint32_t max_rate, uint64_t now_usec,
                            uint32_t *ret_count)
{
    const struct throttle_key key = {.max_rate = max_rate, .kind = kind};

    return throttle_key_would_be_over(throttle, &key, address, now_usec, ret_count);
}

void throttle_align(struct throttle *throttle, uint64_t offset_usec)
{
    throttle->offset_usec = offset_usec;
}

void throttle_unalign(struct throttle *throttle)
{
    throttle->offset_usec = OFFSET_NONE;
}

void throttle_forget_others(struct throttle *throttle)
{
    for (uint32_t number = 1; number <= throttle->n_keys; number++) {
        entry_of(throttle, number)->others = 0;
        entry_of(throttle, number)->others_at = 0;
    }
}

uint64_t throttle_window_usec(const struct throttle_key *key)
{
    return key->window_sec > 0 ? key->window_sec * UINT64_C(1000000) : THROTTLE_WINDOW_USEC;
}

uint64_t throttle_window_at(const struct throttle *throttle, const struct throttle_key *key,
                            uint64_t now_usec)
{
    if (throttle->offset_usec == OFFSET_NONE)
        return now_usec;
    uint64_t age = (now_usec + throttle->offset_usec) % throttle_window_usec(key);

    return now_usec > age ? now_usec - age : now_usec;
}

void throttle_look(struct throttle *throttle, uint32_t number, uint64_t now_usec,
                   struct throttle_key *ret_key, struct throttle_view *ret_view)
{
    struct entry *entry = entry_of(throttle, number);

    advance(throttle, entry, now_usec);
    *ret_key = entry->key;
    *ret_view = view_of(entry, number);
}

static uint32_t greater(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

bool throttle_learn(struct throttle *throttle, const struct throttle_key *key, uint64_t window_at,
                    const struct throttle_news *news, uint64_t now_usec)
{
    uint32_t number = *link_to(throttle, key);
    struct entry *entry;

    if (number > 0)
        entry = entry_of(throttle, number);
    else if (news->adds)
        entry = find_or_add(throttle, key, now_usec);
    else
        return false;
    advance(throttle, entry, now_usec);
    if (entry->window_at + THROTTLE_SHIFT_USEC < window_at ||
        window_at + THROTTLE_SHIFT_USEC < entry->window_at)
        return false;
    if (news->own > entry->count) {
        uint32_t more = news->own - entry->count;

        /* They may be in what was concluded from a total. */
        entry->others -= entry->others < more ? entry->others : more;
        entry->count = news->own;
    }
    entry->others = greater(entry->others, news->others);
    if (news->total > entry->count)
        entry->others = greater(entry->others, news->total - entry->count);
    if (entry->others > UINT32_MAX - entry->count)
        entry->others = UINT32_MAX - entry->count;
    entry->others_at = now_usec;
    return true;
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
    throttle->offset_usec = OFFSET_NONE;
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

/* Whether the list goes through every entry once. A process that was killed may have left a change
 * half done. */
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

/* Whether each entry is in its own chain, and in no other. */
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
