/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "access/decisions.h"

#include "base/str.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

/* To be changed with the meaning of a field. A change of size is noticed anyway. */
#define DECISIONS_MAGIC UINT64_C(0x6465636973693031)

struct decisions {
    uint64_t magic;
    uint64_t since; /* what decisions_since() returns until a place is used a second time */
    uint32_t place_size;
    uint32_t n_max;
    uint32_t n;    /* in use */
    uint32_t next; /* the place of the next one */
    struct access_decision places[];
};

size_t decisions_size(uint32_t n_max)
{
    return sizeof(struct decisions) + (size_t)n_max * sizeof(struct access_decision);
}

int decisions_new(uint32_t n_max, uint64_t now, struct decisions **ret)
{
    if (n_max == 0)
        return -EINVAL;
    void *memory = mmap(NULL, decisions_size(n_max), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return -ENOMEM;
    *ret = decisions_format(memory, n_max, now);
    return 0;
}

struct decisions *decisions_format(void *memory, uint32_t n_max, uint64_t now)
{
    struct decisions *decisions = memory;

    decisions->since = now;
    decisions->place_size = sizeof(struct access_decision);
    decisions->n_max = n_max;
    decisions->magic = DECISIONS_MAGIC;
    return decisions;
}

static bool is_family(uint16_t family)
{
    return family == AF_UNSPEC || family == AF_UNIX || family == AF_INET || family == AF_INET6;
}

static void end_text(char *text, size_t size)
{
    text[size - 1] = '\0';
}

/* Makes a decision that another process left safe to show; what cannot be true is cleared. */
static void tame(struct access_decision *decision, uint64_t now)
{
    end_text(decision->reason, sizeof(decision->reason));
    end_text(decision->service, sizeof(decision->service));
    end_text(decision->file, sizeof(decision->file));
    end_text(decision->pattern, sizeof(decision->pattern));
    end_text(decision->zone, sizeof(decision->zone));
    end_text(decision->detail, sizeof(decision->detail));
    end_text(decision->text, sizeof(decision->text));
    if (decision->at > now || !is_family(decision->client.family) ||
        !is_family(decision->local.family))
        decision->at = 0;
}

static bool is_sane(const struct decisions *decisions, size_t size, uint64_t now)
{
    return size >= sizeof(*decisions) && decisions->magic == DECISIONS_MAGIC &&
           decisions->place_size == sizeof(struct access_decision) && decisions->n_max > 0 &&
           size == decisions_size(decisions->n_max) && decisions->n <= decisions->n_max &&
           decisions->next < decisions->n_max && decisions->since <= now;
}

/* The process may have been killed after it used the place `next`, and before it moved `next` on.
 */
static void find_next(struct decisions *decisions)
{
    uint32_t n_max = decisions->n_max, next = decisions->next;
    uint64_t at = decisions->places[next].at;
    uint64_t previous_at = decisions->places[(next + n_max - 1) % n_max].at;

    if (decisions->n < n_max)
        decisions->next = decisions->n;
    else if (previous_at > 0 && at > previous_at)
        decisions->next = (next + 1) % n_max;
}

struct decisions *decisions_adopt(void *memory, size_t size, uint64_t now)
{
    struct decisions *decisions = memory;

    if (!is_sane(decisions, size, now))
        return NULL;
    for (uint32_t i = 0; i < decisions->n; i++)
        tame(&decisions->places[i], now);
    find_next(decisions);
    return decisions;
}

void decisions_free(struct decisions *decisions)
{
    if (decisions)
        (void)munmap(decisions, decisions_size(decisions->n_max));
}

static void copy(char *to, size_t size, const char *from)
{
    size_t length = from ? strnlen(from, size - 1) : 0;

    if (length > 0)
        memcpy(to, from, length);
    to[length] = '\0';
}

static void copy_end(char *to, size_t size, const char *from)
{
    size_t length = from ? strlen(from) : 0;

    copy(to, size, length >= size ? from + (length - (size - 1)) : from);
}

/* Copies lines without their carriage returns, joined by blanks. */
static void copy_lines(char to[DECISION_TEXT_MAX], const char *from, size_t n_from)
{
    size_t n = 0;

    for (size_t i = 0; i < n_from && n + 1 < DECISION_TEXT_MAX; i++)
        if (from[i] != '\r')
            to[n++] = from[i] == '\n' ? ' ' : from[i];
    while (n > 0 && to[n - 1] == ' ')
        n--;
    to[n] = '\0';
}

/* The process can be killed at any point here. So a place counts only when its time is set, and
 * `next` moves on last. */
void decisions_note(struct decisions *decisions, const struct access_decision_facts *facts)
{
    struct access_decision *decision = &decisions->places[decisions->next];

    if (decisions->n == decisions->n_max && decision->at > 0)
        decisions->since = decision->at + 1;
    decision->at = 0;
    atomic_signal_fence(memory_order_seq_cst);
    decision->connection_id = facts->connection_id;
    decision->client = *facts->client;
    decision->local = *facts->local;
    decision->line = facts->line;
    copy(decision->reason, sizeof(decision->reason), facts->reason);
    copy(decision->service, sizeof(decision->service), facts->service);
    copy_end(decision->file, sizeof(decision->file), facts->file);
    copy(decision->pattern, sizeof(decision->pattern), facts->pattern);
    copy(decision->zone, sizeof(decision->zone), facts->zone);
    copy(decision->detail, sizeof(decision->detail), facts->detail);
    copy_lines(decision->text, facts->text, facts->n_text);
    atomic_signal_fence(memory_order_seq_cst);
    decision->at = facts->at;
    atomic_signal_fence(memory_order_seq_cst);
    if (decisions->n < decisions->n_max)
        decisions->n++;
    atomic_signal_fence(memory_order_seq_cst);
    decisions->next = (decisions->next + 1) % decisions->n_max;
}

static bool is_about(const struct access_decision *decision, const struct address *client,
                     const char *service)
{
    return decision->at > 0 &&
           (!client ||
            (decision->client.family == client->family &&
             memcmp(decision->client.bytes, client->bytes, sizeof(client->bytes)) == 0)) &&
           (!service || str_equal_nocase(decision->service, service));
}

const struct access_decision *decisions_next(const struct decisions *decisions,
                                             const struct address *client, const char *service,
                                             const struct access_decision *previous)
{
    uint32_t place = previous ? (uint32_t)(previous - decisions->places) : decisions->next;
    /* From this place back to the oldest one, which is the next to be used, or place 0. */
    uint32_t n_older = (place + decisions->n_max - decisions->next) % decisions->n_max;

    if (!previous)
        n_older = decisions->n;
    else
        n_older -= decisions->n_max - decisions->n;
    for (; n_older > 0; n_older--) {
        place = (place + decisions->n_max - 1) % decisions->n_max;
        if (is_about(&decisions->places[place], client, service))
            return &decisions->places[place];
    }
    return NULL;
}

uint32_t decisions_n(const struct decisions *decisions)
{
    return decisions->n;
}

uint64_t decisions_since(const struct decisions *decisions)
{
    return decisions->since;
}
