/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/fleet/waits.h"

#include <string.h>

void fleet_waits_init(struct fleet_waits *waits, uint64_t limit_usec)
{
    *waits = (struct fleet_waits){.limit_usec = limit_usec};
    TAILQ_INIT(&waits->list);
}

bool fleet_waits_begin(struct fleet_waits *waits, struct fleet_wait *wait,
                       const struct throttle_key *key, const struct throttle_view *view,
                       uint64_t now)
{
    /* Counts only grow: what is above the rate stays there, whatever the answer is. */
    if (waits->limit_usec == 0 || (uint64_t)view->own + view->others > key->max_rate)
        return false;
    wait->waits = waits;
    wait->key = *key;
    wait->view = *view;
    wait->began_at = now;
    TAILQ_INSERT_TAIL(&waits->list, wait, link);
    LIST_INSERT_HEAD(&waits->chains[view->number % FLEET_WAIT_CHAINS], wait, chain_link);
    waits->n_begun++;
    return true;
}

void fleet_wait_cancel(struct fleet_wait *wait)
{
    if (!wait->waits)
        return;
    TAILQ_REMOVE(&wait->waits->list, wait, link);
    LIST_REMOVE(wait, chain_link);
    wait->waits = NULL;
}

void fleet_wait_give_up(struct fleet_wait *wait)
{
    if (!wait->waits)
        return;
    wait->waits->n_in_vain++;
    fleet_wait_cancel(wait);
    wait->decided(wait, &wait->view);
}

/* One that the answer to this item decides; NULL: there is none. Another window, be it the one
 * before or the one after, has other counts. */
static struct fleet_wait *find(const struct fleet_waits *waits, const struct fleet_item *item)
{
    struct fleet_wait *wait;

    LIST_FOREACH(wait, &waits->chains[item->number % FLEET_WAIT_CHAINS], chain_link)
        if (memcmp(&wait->key, &item->key, sizeof(item->key)) == 0 && wait->view.own <= item->own &&
            fleet_is_same_window(wait->view.window_at, item->window_at))
            return wait;
    return NULL;
}

void fleet_waits_answer(struct fleet_waits *waits, const struct fleet_batch *batch,
                        const struct fleet_answer *answer, uint64_t now)
{
    struct fleet_wait *wait;

    if (TAILQ_EMPTY(&waits->list))
        return;
    for (size_t i = 0; i < batch->n_items && i < answer->n_sums; i++)
        while ((wait = find(waits, &batch->items[i]))) {
            struct throttle_view view = wait->view;

            fleet_wait_cancel(wait);
            view.others = answer->sums[i].others;
            view.others_at = now;
            wait->decided(wait, &view);
        }
}

uint64_t fleet_waits_due(const struct fleet_waits *waits)
{
    const struct fleet_wait *first = TAILQ_FIRST(&waits->list);

    return first ? first->began_at + waits->limit_usec : UINT64_MAX;
}

void fleet_waits_expire(struct fleet_waits *waits, uint64_t now)
{
    while (!TAILQ_EMPTY(&waits->list) && fleet_waits_due(waits) <= now)
        fleet_wait_give_up(TAILQ_FIRST(&waits->list));
}
