/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "access/concurrency.h"

#include "access/source.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

struct place {
    struct source source;
    uint32_t n_connections; /* at least 1 if the place is taken */
    uint32_t next;          /* in its chain, or in the list of free places; 0: the last */
};

/* Places are numbered from 1. This head is followed by n_places chains (each the number of its
 * first place), and then by the places. */
struct concurrency {
    uint32_t n_places;
    uint32_t n_touched; /* places 1 to n_touched have been in use at least once */
    uint32_t free;      /* the first in the list of free places; 0: none */
    uint32_t n_sources;
    uint64_t n_uncounted;
    struct siphash_key hash_key;
    uint32_t chains[];
};

static size_t size_of(uint32_t n_places)
{
    return sizeof(struct concurrency) + n_places * (sizeof(uint32_t) + sizeof(struct place));
}

static struct place *place_of(struct concurrency *concurrency, uint32_t number)
{
    void *places = concurrency->chains + concurrency->n_places;

    assert(number > 0 && number <= concurrency->n_touched);
    return (struct place *)places + (number - 1);
}

/* The link that leads to the source's place, or the end of its chain. */
static uint32_t *link_to(struct concurrency *concurrency, const struct source *source)
{
    uint64_t hash = siphash(&concurrency->hash_key, source, sizeof(*source));
    uint32_t *link = &concurrency->chains[hash % concurrency->n_places];

    while (*link > 0) {
        struct place *place = place_of(concurrency, *link);

        if (memcmp(&place->source, source, sizeof(*source)) == 0)
            break;
        link = &place->next;
    }
    return link;
}

/* The number of a free place, or 0. */
static uint32_t take_place(struct concurrency *concurrency)
{
    uint32_t number = concurrency->free;

    if (number > 0)
        concurrency->free = place_of(concurrency, number)->next;
    else if (concurrency->n_touched < concurrency->n_places)
        number = ++concurrency->n_touched;
    return number;
}

int concurrency_new(uint32_t n_places, const struct siphash_key *key, struct concurrency **ret)
{
    if (n_places == 0 || n_places > CONCURRENCY_PLACES_MAX)
        return -EINVAL;
    struct concurrency *concurrency =
        mmap(NULL, size_of(n_places), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (concurrency == MAP_FAILED)
        return -ENOMEM;
    concurrency->n_places = n_places;
    concurrency->hash_key = *key;
    *ret = concurrency;
    return 0;
}

void concurrency_free(struct concurrency *concurrency)
{
    if (concurrency)
        (void)munmap(concurrency, size_of(concurrency->n_places));
}

uint32_t concurrency_add(struct concurrency *concurrency, const struct address *address)
{
    struct source source;

    if (!source_of(address, &source))
        return 0;
    uint32_t *link = link_to(concurrency, &source);
    if (*link > 0)
        return ++place_of(concurrency, *link)->n_connections;
    uint32_t number = take_place(concurrency);
    if (number == 0) {
        concurrency->n_uncounted++;
        return 0;
    }
    *place_of(concurrency, number) = (struct place){.source = source, .n_connections = 1};
    *link = number;
    concurrency->n_sources++;
    return 1;
}

void concurrency_remove(struct concurrency *concurrency, const struct address *address)
{
    struct source source;

    if (!source_of(address, &source))
        return;
    uint32_t *link = link_to(concurrency, &source), number = *link;
    if (number == 0)
        return;
    struct place *place = place_of(concurrency, number);
    if (--place->n_connections > 0)
        return;
    *link = place->next;
    place->next = concurrency->free;
    concurrency->free = number;
    concurrency->n_sources--;
}

uint32_t concurrency_lookup(struct concurrency *concurrency, const struct address *address)
{
    struct source source;

    if (!source_of(address, &source))
        return 0;
    uint32_t number = *link_to(concurrency, &source);
    return number > 0 ? place_of(concurrency, number)->n_connections : 0;
}

void concurrency_each(struct concurrency *concurrency,
                      void (*visit)(const struct source *source, uint32_t n, void *userdata),
                      void *userdata)
{
    for (uint32_t number = 1; number <= concurrency->n_touched; number++) {
        const struct place *place = place_of(concurrency, number);

        if (place->n_connections > 0)
            visit(&place->source, place->n_connections, userdata);
    }
}

uint32_t concurrency_n_sources(const struct concurrency *concurrency)
{
    return concurrency->n_sources;
}

uint64_t concurrency_n_uncounted(const struct concurrency *concurrency)
{
    return concurrency->n_uncounted;
}
