/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/fleet/open_counts.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

static_assert(sizeof(struct open_key) == 48, "a key has no gaps");

/* Each entry is in one list. */
enum where {
    OWED,  /* to be sent now */
    SENT,  /* was sent above 0; in the order of sent_at */
    HEARD, /* nothing is open here; in the order of heard_at */
    N_LISTS
};

struct entry {
    TAILQ_ENTRY(entry) link;
    struct entry *next; /* in its chain, or the next free one */
    enum where where;
    struct open_key key;
    uint32_t own, limit;
    uint32_t stored; /* own count that the store has, by its last answer */
    uint32_t others;
    uint64_t others_at; /* 0: not known */
    uint64_t sent_at;   /* above 0 */
    uint64_t heard_at;
    /* The store may have a count of ours above 0: one was sent, and no answer to a later 0 came. */
    bool may_be_stored;
    uint32_t n_sent; /* how often it was sent */
};

TAILQ_HEAD(entry_list, entry);

struct open_counts {
    struct siphash_key hash_key;
    struct entry_list lists[N_LISTS];
    struct entry *free;
    size_t n_touched; /* entries that were in use at least once */
    size_t n;
    uint64_t n_left_out;
    struct entry *chains[OPEN_COUNTS_MAX];
    struct entry entries[OPEN_COUNTS_MAX];
};

bool open_key_set(struct open_key *key, const char *service, const struct source *source)
{
    *key = (struct open_key){.source = *source};
    if (strlen(service) >= OPEN_SERVICE_MAX)
        return false;
    strcpy(key->service, service);
    return true;
}

int open_counts_new(const struct siphash_key *key, struct open_counts **ret)
{
    struct open_counts *counts = calloc(1, sizeof(*counts));

    if (!counts)
        return -ENOMEM;
    counts->hash_key = *key;
    for (enum where where = 0; where < N_LISTS; where++)
        TAILQ_INIT(&counts->lists[where]);
    *ret = counts;
    return 0;
}

void open_counts_free(struct open_counts *counts)
{
    free(counts);
}

static struct entry **link_to(struct open_counts *counts, const struct open_key *key)
{
    uint64_t hash = siphash(&counts->hash_key, key, sizeof(*key));
    struct entry **link = &counts->chains[hash % OPEN_COUNTS_MAX];

    while (*link && memcmp(&(*link)->key, key, sizeof(*key)) != 0)
        link = &(*link)->next;
    return link;
}

static void move(struct open_counts *counts, struct entry *entry, enum where where)
{
    TAILQ_REMOVE(&counts->lists[entry->where], entry, link);
    entry->where = where;
    TAILQ_INSERT_TAIL(&counts->lists[where], entry, link);
}

static void drop(struct open_counts *counts, struct entry *entry)
{
    *link_to(counts, &entry->key) = entry->next;
    TAILQ_REMOVE(&counts->lists[entry->where], entry, link);
    entry->next = counts->free;
    counts->free = entry;
    counts->n--;
}

/* What was heard of others is forgotten after a while. */
static void expire(struct open_counts *counts, uint64_t now)
{
    struct entry *entry;

    while ((entry = TAILQ_FIRST(&counts->lists[HEARD])) &&
           now - entry->heard_at >= OPEN_EXPIRE_USEC)
        drop(counts, entry);
}

static struct entry *find_or_add(struct open_counts *counts, const struct open_key *key,
                                 uint64_t now)
{
    struct entry **link, *entry;

    expire(counts, now);
    link = link_to(counts, key);
    if (*link)
        return *link;
    entry = counts->free;
    if (entry)
        counts->free = entry->next;
    else if (counts->n_touched < OPEN_COUNTS_MAX)
        entry = &counts->entries[counts->n_touched++];
    if (!entry) {
        counts->n_left_out++;
        return NULL;
    }
    *entry = (struct entry){.key = *key, .where = HEARD, .heard_at = now};
    *link = entry;
    TAILQ_INSERT_TAIL(&counts->lists[HEARD], entry, link);
    counts->n++;
    return entry;
}

void open_counts_set(struct open_counts *counts, const struct open_key *key, uint32_t own,
                     uint32_t limit, uint64_t now)
{
    struct entry *entry = own > 0 ? find_or_add(counts, key, now) : *link_to(counts, key);

    if (!entry || (entry->own == own && entry->limit == limit))
        return;
    entry->own = own;
    entry->limit = limit;
    if (entry->where != OWED)
        move(counts, entry, OWED);
}

uint32_t open_counts_elsewhere(struct open_counts *counts, const struct open_key *key, uint64_t now,
                               uint64_t *ret_at)
{
    const struct entry *entry = *link_to(counts, key);
    bool is_known = entry && entry->others_at > 0 && now - entry->others_at < OPEN_EXPIRE_USEC;

    *ret_at = is_known ? entry->others_at : 0;
    return is_known ? entry->others : 0;
}

uint64_t open_counts_due(const struct open_counts *counts)
{
    const struct entry *first = TAILQ_FIRST(&counts->lists[SENT]);

    if (!TAILQ_EMPTY(&counts->lists[OWED]))
        return 0;
    return first ? first->sent_at + OPEN_REFRESH_USEC : UINT64_MAX;
}

/* The next one that is to be sent; NULL: there is none. */
static struct entry *next_due(struct open_counts *counts, uint64_t now)
{
    struct entry *entry = TAILQ_FIRST(&counts->lists[OWED]);

    if (entry)
        return entry;
    entry = TAILQ_FIRST(&counts->lists[SENT]);
    return entry && entry->sent_at + OPEN_REFRESH_USEC <= now ? entry : NULL;
}

size_t open_counts_take(struct open_counts *counts, struct open_item *items, size_t n_max,
                        uint64_t now)
{
    struct entry *entry;
    size_t n = 0;

    expire(counts, now);
    while (n < n_max && (entry = next_due(counts, now))) {
        /* A connection that has come and gone in between is nothing to the others. */
        if (entry->own > 0 || entry->may_be_stored)
            items[n++] = (struct open_item){.key = entry->key,
                                            .own = entry->own,
                                            .limit = entry->limit,
                                            .n_sent = ++entry->n_sent};
        entry->may_be_stored |= entry->own > 0;
        entry->sent_at = entry->heard_at = now;
        move(counts, entry, entry->own > 0 ? SENT : HEARD);
    }
    return n;
}

void open_counts_owe_all(struct open_counts *counts)
{
    struct entry *entry, *next;

    TAILQ_CONCAT(&counts->lists[OWED], &counts->lists[SENT], link);
    TAILQ_FOREACH(entry, &counts->lists[OWED], link)
        entry->where = OWED;
    /* A 0 may have been lost on the way. */
    for (entry = TAILQ_FIRST(&counts->lists[HEARD]); entry; entry = next) {
        next = TAILQ_NEXT(entry, link);
        if (entry->may_be_stored)
            move(counts, entry, OWED);
    }
}

static void learn(struct open_counts *counts, struct entry *entry, uint32_t others, uint64_t now)
{
    entry->others = others;
    entry->others_at = entry->heard_at = now;
    if (entry->where == HEARD)
        move(counts, entry, HEARD);
}

void open_counts_answer(struct open_counts *counts, const struct open_item *item, uint32_t others,
                        uint64_t now)
{
    struct entry *entry = *link_to(counts, &item->key);

    if (!entry)
        return;
    entry->stored = item->own;
    if (item->own == 0 && item->n_sent == entry->n_sent)
        entry->may_be_stored = false;
    learn(counts, entry, others, now);
}

void open_counts_tell(struct open_counts *counts, const struct open_key *key, uint32_t total,
                      uint64_t now)
{
    struct entry *entry = total > 0 ? find_or_add(counts, key, now) : *link_to(counts, key);

    if (entry)
        learn(counts, entry, total > entry->stored ? total - entry->stored : 0, now);
}

size_t open_counts_n(const struct open_counts *counts)
{
    return counts->n;
}

uint64_t open_counts_n_left_out(const struct open_counts *counts)
{
    return counts->n_left_out;
}
