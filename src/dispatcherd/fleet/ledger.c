/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/fleet/ledger.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The fleet is quiet when no host has sent a count for this long. */
#define QUIET_AFTER_USEC UINT64_C(1000000)

#define USEC_PER_SECOND UINT64_C(1000000)

/* Less than this the clocks may differ without a change of the windows, beyond what the time that
 * the answer took makes uncertain. */
#define CLOCK_SLACK_USEC UINT64_C(1000)

struct fleet_ledger {
    struct throttle *throttle;
    struct open_counts *open; /* NULL: not shared */
    uint64_t open_mark;
    uint64_t offset; /* of the store's clock to ours */
    uint64_t window; /* the last one of which something was sent */
    uint32_t n_full; /* entries of its list that are known */
    uint32_t n_new;  /* keys that the store has in it from here */
    uint64_t n_left_out;
    uint64_t sent_at;      /* the last batch; 0: none */
    uint64_t active_until; /* the fleet is not quiet until then */
    char epoch[FLEET_EPOCH_MAX];

    /* The numbers that are owed, each once, in a ring. A number may have got another key in
     * between; then that is sent in vain. */
    uint32_t first_owed, n_owed;
    uint32_t owed[THROTTLE_KEYS_MAX];
    bool is_owed[THROTTLE_KEYS_MAX + 1];

    unsigned first_batch, n_batches; /* in a ring */
    struct fleet_batch batches[FLEET_BATCHES];
};

static void align(struct fleet_ledger *ledger)
{
    throttle_align(ledger->throttle, ledger->offset);
}

int fleet_ledger_new(struct throttle *throttle, uint64_t real_usec, uint64_t now,
                     struct fleet_ledger **ret)
{
    struct fleet_ledger *ledger = calloc(1, sizeof(*ledger));

    if (!ledger)
        return -ENOMEM;
    ledger->throttle = throttle;
    ledger->offset = real_usec - now;
    align(ledger);
    *ret = ledger;
    return 0;
}

void fleet_ledger_free(struct fleet_ledger *ledger)
{
    if (!ledger)
        return;
    throttle_unalign(ledger->throttle);
    free(ledger);
}

void fleet_ledger_share_open(struct fleet_ledger *ledger, struct open_counts *open)
{
    ledger->open = open;
}

/* Of windows that last a minute. */
static const struct throttle_key minute;

/* The number of the key's window that began at that time of ours, or within half a window of it. */
static uint64_t window_of(const struct fleet_ledger *ledger, const struct throttle_key *key,
                          uint64_t at)
{
    uint64_t length = throttle_window_usec(key);

    return (at + ledger->offset + length / 2) / length;
}

void fleet_ledger_owe(struct fleet_ledger *ledger, uint32_t number)
{
    if (number == 0 || ledger->is_owed[number])
        return;
    assert(ledger->n_owed < THROTTLE_KEYS_MAX);
    ledger->owed[(ledger->first_owed + ledger->n_owed++) % THROTTLE_KEYS_MAX] = number;
    ledger->is_owed[number] = true;
}

static uint32_t take_owed(struct fleet_ledger *ledger)
{
    uint32_t number = ledger->owed[ledger->first_owed];

    ledger->first_owed = (ledger->first_owed + 1) % THROTTLE_KEYS_MAX;
    ledger->n_owed--;
    ledger->is_owed[number] = false;
    return number;
}

/* With `penalties_only`: those that may have been carried over from the window before. */
static void owe_all(struct fleet_ledger *ledger, bool penalties_only, uint64_t now)
{
    struct throttle_key key;
    struct throttle_view view;

    for (uint32_t number = 1; number <= throttle_n_keys(ledger->throttle); number++) {
        throttle_look(ledger->throttle, number, now, &key, &view);
        if (view.own > 0 && (!penalties_only || key.kind == THROTTLE_PENALTY))
            fleet_ledger_owe(ledger, number);
    }
}

/* The store may have lost what it was sent. */
static void owe_open(struct fleet_ledger *ledger)
{
    ledger->open_mark = 0;
    if (ledger->open)
        open_counts_owe_all(ledger->open);
}

void fleet_ledger_begin(struct fleet_ledger *ledger, uint64_t now)
{
    fleet_ledger_end(ledger);
    ledger->n_full = 0;
    ledger->sent_at = 0;
    owe_all(ledger, false, now);
    owe_open(ledger);
}

void fleet_ledger_end(struct fleet_ledger *ledger)
{
    ledger->n_batches = 0;
}

uint64_t fleet_ledger_due(const struct fleet_ledger *ledger)
{
    uint64_t due = ledger->sent_at + FLEET_BATCH_USEC;
    uint64_t open_due = ledger->open ? open_counts_due(ledger->open) : UINT64_MAX;
    uint64_t quiet = ledger->sent_at + FLEET_QUIET_USEC;

    if (ledger->n_batches == FLEET_BATCHES)
        return UINT64_MAX;
    if (ledger->n_owed > 0 || due < ledger->active_until || open_due <= due)
        return due;
    return open_due < quiet ? open_due : quiet;
}

/* Windows that began before the fleet did follow their own times, and are nobody else's. */
static bool is_common(const struct fleet_ledger *ledger, const struct throttle_key *key,
                      const struct throttle_view *view, uint64_t now)
{
    return fleet_is_same_window(view->window_at, throttle_window_at(ledger->throttle, key, now));
}

static uint64_t minute_of(const struct fleet_ledger *ledger, uint64_t now)
{
    return window_of(ledger, &minute, throttle_window_at(ledger->throttle, &minute, now));
}

static bool has_room(const struct fleet_ledger *ledger, const struct throttle_view *view)
{
    return view->others_at > 0 || ledger->n_new < FLEET_KEYS_MAX;
}

bool fleet_ledger_sends(const struct fleet_ledger *ledger, uint32_t number, uint64_t now)
{
    struct throttle_key key;
    struct throttle_view view;

    throttle_look(ledger->throttle, number, now, &key, &view);
    return view.own > 0 && is_common(ledger, &key, &view, now) &&
           (has_room(ledger, &view) || minute_of(ledger, now) != ledger->window);
}

static void add_item(struct fleet_ledger *ledger, struct fleet_batch *batch, uint32_t number,
                     uint64_t now)
{
    struct throttle_key key;
    struct throttle_view view;

    throttle_look(ledger->throttle, number, now, &key, &view);
    if (view.own == 0 || !is_common(ledger, &key, &view, now))
        return;
    if (!has_room(ledger, &view)) {
        ledger->n_left_out++;
        return;
    }
    batch->items[batch->n_items++] =
        (struct fleet_item){.number = number,
                            .key = key,
                            .own = view.own,
                            .window = window_of(ledger, &key, view.window_at),
                            .window_at = view.window_at};
}

const struct fleet_batch *fleet_ledger_send(struct fleet_ledger *ledger, uint64_t now)
{
    assert(ledger->n_batches < FLEET_BATCHES);
    struct fleet_batch *batch =
        &ledger->batches[(ledger->first_batch + ledger->n_batches++) % FLEET_BATCHES];
    uint64_t window = minute_of(ledger, now);

    if (window != ledger->window) {
        ledger->window = window;
        ledger->n_full = ledger->n_new = 0;
        owe_all(ledger, true, now);
    }
    batch->sent_at = ledger->sent_at = now;
    batch->window = window;
    batch->n_full = ledger->n_full;
    batch->n_items = 0;
    while (ledger->n_owed > 0 && batch->n_items < FLEET_BATCH_KEYS)
        add_item(ledger, batch, take_owed(ledger), now);
    batch->has_open = ledger->open;
    batch->open_mark = ledger->open_mark;
    batch->n_open = 0;
    if (ledger->open)
        batch->n_open = open_counts_take(ledger->open, batch->open, FLEET_BATCH_OPEN, now);
    return batch;
}

const struct fleet_batch *fleet_ledger_oldest(const struct fleet_ledger *ledger)
{
    return ledger->n_batches > 0 ? &ledger->batches[ledger->first_batch] : NULL;
}

/* The store's clock was read between the batch and its answer. */
static void set_clock(struct fleet_ledger *ledger, uint64_t store_usec, uint64_t sent_at,
                      uint64_t now)
{
    uint64_t uncertain = (now - sent_at) / 2 + CLOCK_SLACK_USEC;
    uint64_t offset = store_usec - (sent_at + (now - sent_at) / 2);

    if (offset - ledger->offset + uncertain <= 2 * uncertain)
        return;
    ledger->offset = offset;
    align(ledger);
}

static void learn_full(struct fleet_ledger *ledger, const struct fleet_answer *answer, uint64_t now)
{
    for (size_t i = 0; i < answer->n_full_keys; i++) {
        const struct throttle_key *key = &answer->full[i].key;
        uint64_t window_at = throttle_window_at(ledger->throttle, key, now);
        const struct throttle_news news = {.total = answer->full[i].total, .adds = true};

        if (answer->full[i].window == window_of(ledger, key, window_at))
            (void)throttle_learn(ledger->throttle, key, window_at, &news, now);
    }
}

static void learn_sums(struct fleet_ledger *ledger, const struct fleet_batch *batch,
                       const struct fleet_answer *answer, uint64_t now)
{
    for (size_t i = 0; i < batch->n_items; i++) {
        const struct fleet_item *item = &batch->items[i];
        const struct throttle_news news = {.own = answer->sums[i].own,
                                           .others = answer->sums[i].others};

        if (news.own == 0 && batch->window == ledger->window)
            ledger->n_new++;
        (void)throttle_learn(ledger->throttle, &item->key, item->window_at, &news, now);
    }
}

/* What an answer says of an address of its own batch is newer than what it tells all hosts. */
static void learn_open(struct fleet_ledger *ledger, const struct fleet_batch *batch,
                       const struct fleet_answer *answer, uint64_t now)
{
    if (!ledger->open)
        return;
    ledger->open_mark = answer->open_mark;
    for (size_t i = 0; i < answer->n_told; i++)
        open_counts_tell(ledger->open, &answer->told[i].key, answer->told[i].total, now);
    for (size_t i = 0; i < batch->n_open; i++)
        open_counts_answer(ledger->open, &batch->open[i], answer->open[i], now);
}

bool fleet_ledger_answer(struct fleet_ledger *ledger, const struct fleet_answer *answer,
                         uint64_t now)
{
    const struct fleet_batch *batch = fleet_ledger_oldest(ledger);

    if (!batch || answer->n_sums != batch->n_items || answer->n_open != batch->n_open)
        return false;
    ledger->first_batch = (ledger->first_batch + 1) % FLEET_BATCHES;
    ledger->n_batches--;
    set_clock(ledger, answer->store_usec, batch->sent_at, now);
    if (answer->active_sec + 1 >= answer->store_usec / USEC_PER_SECOND)
        ledger->active_until = now + QUIET_AFTER_USEC;
    if (batch->window == ledger->window)
        ledger->n_full = answer->n_full;
    learn_full(ledger, answer, now);
    learn_sums(ledger, batch, answer, now);
    learn_open(ledger, batch, answer, now);
    if (ledger->epoch[0] && strcmp(ledger->epoch, answer->epoch) != 0) {
        ledger->n_full = 0;
        owe_all(ledger, false, now);
        owe_open(ledger);
    }
    memcpy(ledger->epoch, answer->epoch, sizeof(ledger->epoch));
    return true;
}

uint64_t fleet_ledger_offset(const struct fleet_ledger *ledger)
{
    return ledger->offset;
}

size_t fleet_ledger_n_owed(const struct fleet_ledger *ledger)
{
    return ledger->n_owed;
}

uint64_t fleet_ledger_n_left_out(const struct fleet_ledger *ledger)
{
    return ledger->n_left_out;
}
