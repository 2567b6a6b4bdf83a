/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "pool/ranking.h"

#include "base/time.h"
#include "pool/standing.h"

#include <string.h>

#define ROOT 1

static const struct ranking_node nothing = {
    .moment = USEC_INFINITY,
    .lasts_at = USEC_INFINITY,
    .best = RANKING_NOBODY,
    .first = {RANKING_NOBODY, RANKING_NOBODY, RANKING_NOBODY, RANKING_NOBODY, RANKING_NOBODY,
              RANKING_NOBODY},
};

void ranking_note(struct ranking *ranking, unsigned slot)
{
    if (ranking->is_changed[slot])
        return;
    ranking->is_changed[slot] = true;
    ranking->changed[ranking->n_changed++] = (uint16_t)slot;
}

void ranking_forget(struct ranking *ranking)
{
    ranking->width = 0;
}

static void consider(uint64_t moment, uint64_t now, uint64_t *next)
{
    if (moment > now && moment < *next)
        *next = moment;
}

/* Of a ready worker. */
static void fill_leaf(const struct pool_worker *worker, unsigned slot,
                      const struct pool_options *options, uint64_t now, struct ranking_node *leaf)
{
    uint16_t own = (uint16_t)slot;
    bool is_past_idle = standing_is_past_idle(worker, options, now);

    leaf->n_places = standing_places(worker);
    leaf->n_places_put_off = standing_places_put_off(worker);
    leaf->n_spare = standing_spare(worker, options, now);
    leaf->n_putting_off = worker->is_putting_off;
    leaf->n_not_busy = !standing_is_busy_enough(worker, options);
    leaf->best = leaf->n_places > 0 ? own : RANKING_NOBODY;
    leaf->first[RANKING_READY] = own;
    if (!standing_is_idle(worker))
        leaf->first[RANKING_BUSY] = own;
    if (standing_is_due(worker, options, now))
        leaf->first[RANKING_DUE] = own;
    if (worker->is_outdated)
        leaf->first[RANKING_OUTDATED] = own;
    if (is_past_idle)
        leaf->first[leaf->n_spare > 0 ? RANKING_IDLE_SPARE : RANKING_PAST_IDLE] = own;
    consider(standing_expires_at(worker, options), now, &leaf->moment);
    if (standing_is_idle(worker) && options->max_idle_usec > 0)
        consider(standing_idle_until(worker, options), now, &leaf->moment);
    if (leaf->n_spare > 0) {
        leaf->n_lasting = now >= standing_lasts_at(worker, options);
        consider(standing_lasts_at(worker, options), now, &leaf->lasts_at);
    }
}

static void look_at_worker(struct pool *pool, unsigned slot)
{
    struct ranking *ranking = &pool->ranking;
    struct ranking_node *leaf = &ranking->nodes[ranking->width + slot];

    *leaf = nothing;
    leaf->n_leaving = standing_is_leaving(&pool->workers[slot]);
    if (pool->workers[slot].state == POOL_WORKER_READY)
        fill_leaf(&pool->workers[slot], slot, &ranking->options, ranking->now, leaf);
}

static bool is_due(const struct ranking *ranking, unsigned slot)
{
    return ranking->nodes[ranking->width + slot].first[RANKING_DUE] != RANKING_NOBODY;
}

static uint16_t better_of(const struct pool *pool, uint16_t a, uint16_t b)
{
    if (a == RANKING_NOBODY || b == RANKING_NOBODY)
        return a == RANKING_NOBODY ? b : a;
    return standing_is_better(&pool->workers[a], is_due(&pool->ranking, a), &pool->workers[b],
                              is_due(&pool->ranking, b))
               ? a
               : b;
}

static uint16_t first_of(const struct pool *pool, uint16_t a, uint16_t b)
{
    if (a == RANKING_NOBODY || b == RANKING_NOBODY)
        return a == RANKING_NOBODY ? b : a;
    return standing_goes_before(&pool->workers[a], &pool->workers[b]) ? a : b;
}

static uint64_t earlier_of(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static void look_at_node(struct pool *pool, unsigned number)
{
    struct ranking_node *node = &pool->ranking.nodes[number];
    const struct ranking_node *a = &pool->ranking.nodes[2 * number], *b = a + 1;

    node->moment = earlier_of(a->moment, b->moment);
    node->lasts_at = earlier_of(a->lasts_at, b->lasts_at);
    node->n_places = a->n_places + b->n_places;
    node->n_places_put_off = a->n_places_put_off + b->n_places_put_off;
    node->n_spare = a->n_spare + b->n_spare;
    node->n_lasting = (uint16_t)(a->n_lasting + b->n_lasting);
    node->n_putting_off = (uint16_t)(a->n_putting_off + b->n_putting_off);
    node->n_leaving = (uint16_t)(a->n_leaving + b->n_leaving);
    node->n_not_busy = (uint16_t)(a->n_not_busy + b->n_not_busy);
    node->best = better_of(pool, a->best, b->best);
    for (unsigned i = 0; i < N_RANKING_GROUPS; i++)
        node->first[i] = first_of(pool, a->first[i], b->first[i]);
}

static void look_again(struct pool *pool, unsigned slot)
{
    look_at_worker(pool, slot);
    for (unsigned i = (pool->ranking.width + slot) / 2; i >= ROOT; i /= 2)
        look_at_node(pool, i);
}

static void forget_changes(struct ranking *ranking)
{
    while (ranking->n_changed > 0)
        ranking->is_changed[ranking->changed[--ranking->n_changed]] = false;
}

static void make_anew(struct pool *pool)
{
    struct ranking *ranking = &pool->ranking;

    forget_changes(ranking);
    ranking->width = 1;
    while (ranking->width < pool->n_slots)
        ranking->width *= 2;
    for (unsigned slot = 0; slot < ranking->width; slot++)
        look_at_worker(pool, slot);
    for (unsigned i = ranking->width - 1; i >= ROOT; i--)
        look_at_node(pool, i);
}

static uint64_t next_change(const struct ranking_node *node)
{
    return earlier_of(node->moment, node->lasts_at);
}

/* The slot of a worker whose moment has come. */
static unsigned find_changed_by_time(const struct ranking *ranking)
{
    unsigned i = ROOT;

    while (i < ranking->width)
        i = 2 * i + (next_change(&ranking->nodes[2 * i]) > ranking->now);
    return i - ranking->width;
}

const struct ranking_node *ranking_look(struct pool *pool, const struct pool_options *options,
                                        uint64_t now)
{
    struct ranking *ranking = &pool->ranking;
    const struct ranking_node *root = &ranking->nodes[ROOT];
    bool is_true = now >= ranking->now && ranking->width >= pool->n_slots && ranking->width > 0 &&
                   memcmp(&ranking->options, options, sizeof(*options)) == 0;

    ranking->now = now;
    if (!is_true) {
        ranking->options = *options;
        make_anew(pool);
        return root;
    }
    /* A worker beyond the tree has come and gone since: it has no leaf. */
    for (unsigned i = 0; i < ranking->n_changed; i++)
        if (ranking->changed[i] < ranking->width)
            look_again(pool, ranking->changed[i]);
    forget_changes(ranking);
    while (next_change(root) <= now)
        look_again(pool, find_changed_by_time(ranking));
    return root;
}
