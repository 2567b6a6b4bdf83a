/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/fleet/fleet.h"

#include "base/host_name.h"
#include "base/time.h"
#include "dispatcherd/core/context.h"
#include "dispatcherd/report/message_ids.h"
#include "dispatcherd/report/report.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-id128.h>

/* A store that is away for a moment is no alert; one that comes and goes is one. */
static const struct alert_rule rule = {
    .high = 1, .low = 0, .raise_usec = USEC_PER_SEC, .clear_usec = 10 * USEC_PER_SEC};

/* From which difference of the clocks on it is reported, once. */
#define SKEW_USEC USEC_PER_SEC

struct fleet {
    struct context *context;
    struct str_list stores;
    char *given_name; /* of the settings; NULL: none */
    char name[SD_ID128_STRING_MAX > 65 ? SD_ID128_STRING_MAX : 65];
    struct throttle *throttle;
    struct fleet_ledger *ledger;
    struct fleet_link *link;
    struct open_counts *open; /* NULL: not shared */
    struct fleet_waits waits;
    struct timer batch_timer;
    struct timer wait_timer;
    struct timer alert_timer;
    struct alert alert;
    uint64_t answered_at; /* CLOCK_MONOTONIC; 0: not yet */
    bool is_skew_told;
};

/* The identifier itself is a secret of the machine (machine-id(5)). */
static int derive_name(char *name, size_t size)
{
    static const sd_id128_t application =
        SD_ID128_MAKE(5d, 0b, 31, c8, 91, 9a, 4f, 6e, 8a, 57, 6e, 20, 3f, b1, 44, d9);
    char text[SD_ID128_STRING_MAX];
    sd_id128_t id;

    int r = sd_id128_get_machine_app_specific(application, &id);
    if (r == 0)
        snprintf(name, size, "%s", sd_id128_to_string(id, text));
    return r;
}

static void look_at_alert(struct fleet *fleet)
{
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);
    const struct subject raised = {.message_id = MESSAGE_ID_FLEET_AWAY},
                         cleared = {.message_id = MESSAGE_ID_FLEET_AGAIN};
    char words[512];
    struct str_buffer text = str_buffer_init(words, sizeof(words));

    switch (alert_update(&fleet->alert, &rule, !fleet_link_is_up(fleet->link), now)) {
    case ALERT_RAISED:
        fleet_describe(fleet, &text);
        report(LOG_WARNING, &raised, "fleet: %s", words);
        break;
    case ALERT_CLEARED:
        report(LOG_NOTICE, &cleared,
               "fleet: the store %s is back after %" PRIu64 " s; limits hold over all hosts again",
               fleet_link_store(fleet->link), alert_duration(&fleet->alert, now) / USEC_PER_SEC);
        break;
    case ALERT_SAME:
        break;
    }
    timer_set_at(&fleet->alert_timer, alert_due(&fleet->alert, &rule));
}

static void update_alert(struct fleet *fleet)
{
    look_at_alert(fleet);
    fleet->context->changed(fleet->context);
}

static void on_alert_timer(void *userdata)
{
    update_alert(userdata);
}

static void plan_batch(struct fleet *fleet)
{
    timer_set_at(&fleet->batch_timer,
                 fleet_link_is_up(fleet->link) ? fleet_ledger_due(fleet->ledger) : USEC_INFINITY);
}

static void on_batch(void *userdata)
{
    struct fleet *fleet = userdata;
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);

    if (fleet_link_is_up(fleet->link) && fleet_ledger_due(fleet->ledger) <= now)
        fleet_link_send(fleet->link, fleet_ledger_send(fleet->ledger, now));
    plan_batch(fleet);
}

static void on_wait_timer(void *userdata)
{
    struct fleet *fleet = userdata;

    fleet_waits_expire(&fleet->waits, time_now_usec(CLOCK_MONOTONIC));
    timer_set_at(&fleet->wait_timer, fleet_waits_due(&fleet->waits));
}

static void on_up(void *userdata)
{
    struct fleet *fleet = userdata;

    fleet_ledger_begin(fleet->ledger, time_now_usec(CLOCK_MONOTONIC));
    plan_batch(fleet);
    update_alert(fleet);
}

static void on_down(void *userdata)
{
    struct fleet *fleet = userdata;

    fleet_ledger_end(fleet->ledger);
    fleet_waits_expire(&fleet->waits, USEC_INFINITY);
    plan_batch(fleet);
    update_alert(fleet);
}

static void tell_skew(struct fleet *fleet)
{
    uint64_t ours = time_now_usec(CLOCK_REALTIME);
    uint64_t theirs = time_now_usec(CLOCK_MONOTONIC) + fleet_ledger_offset(fleet->ledger);
    uint64_t skew = ours > theirs ? ours - theirs : theirs - ours;

    if (fleet->is_skew_told || skew <= SKEW_USEC)
        return;
    fleet->is_skew_told = true;
    report(LOG_WARNING, &(struct subject){.message_id = MESSAGE_ID_FLEET_SKEW},
           "fleet: the clock of the store %s is %" PRIu64 " s %s this host's; the minutes in which "
           "connections are counted follow the store's; check the synchronization of both",
           fleet_link_store(fleet->link), skew / USEC_PER_SEC,
           theirs > ours ? "ahead of" : "behind");
}

static bool on_answer(const struct fleet_answer *answer, void *userdata)
{
    struct fleet *fleet = userdata;
    const struct fleet_batch *batch = fleet_ledger_oldest(fleet->ledger);
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);

    if (!fleet_ledger_answer(fleet->ledger, answer, now))
        return false;
    fleet->answered_at = now;
    fleet_waits_answer(&fleet->waits, batch, answer, now);
    tell_skew(fleet);
    plan_batch(fleet);
    return true;
}

static uint64_t oldest_batch(void *userdata)
{
    const struct fleet *fleet = userdata;
    const struct fleet_batch *batch = fleet_ledger_oldest(fleet->ledger);

    return batch ? batch->sent_at : USEC_INFINITY;
}

static int init(struct fleet *fleet, bool has_addresses)
{
    sd_event *event = fleet->context->event;
    const struct fleet_link_settings settings = {.stores = &fleet->stores, .name = fleet->name};
    const struct fleet_link_callbacks callbacks = {.up = on_up,
                                                   .down = on_down,
                                                   .answered = on_answer,
                                                   .oldest = oldest_batch,
                                                   .userdata = fleet};

    int r = fleet_ledger_new(fleet->throttle, time_now_usec(CLOCK_REALTIME),
                             time_now_usec(CLOCK_MONOTONIC), &fleet->ledger);
    if (r == 0 && has_addresses)
        r = open_counts_new(&fleet->context->hash_key, &fleet->open);
    if (r == 0)
        fleet_ledger_share_open(fleet->ledger, fleet->open);
    if (r == 0)
        r = timer_init(&fleet->batch_timer, event, USEC_PER_MSEC, on_batch, fleet);
    if (r == 0)
        r = timer_init(&fleet->wait_timer, event, USEC_PER_MSEC, on_wait_timer, fleet);
    if (r == 0)
        r = timer_init(&fleet->alert_timer, event, USEC_PER_SEC / 10, on_alert_timer, fleet);
    if (r == 0)
        r = fleet_link_new(event, &settings, &callbacks, &fleet->link);
    /* The status is not written anew: the daemon may be in the middle of its start. */
    if (r == 0)
        look_at_alert(fleet);
    return r;
}

int fleet_new(struct context *context, struct throttle *throttle,
              const struct fleet_settings *settings, struct fleet **ret)
{
    struct fleet *fleet = calloc(1, sizeof(*fleet));

    if (!fleet)
        return -ENOMEM;
    fleet->context = context;
    fleet->throttle = throttle;
    fleet_waits_init(&fleet->waits, settings->wait_usec);
    int r = str_list_copy(settings->stores, &fleet->stores);
    if (r == 0 && settings->name) {
        fleet->given_name = strdup(settings->name);
        r = fleet->given_name ? 0 : -ENOMEM;
        snprintf(fleet->name, sizeof(fleet->name), "%s", settings->name);
    } else if (r == 0) {
        r = derive_name(fleet->name, sizeof(fleet->name));
    }
    if (r == 0)
        r = init(fleet, settings->has_addresses);
    if (r < 0) {
        fleet_free(fleet);
        return r;
    }
    *ret = fleet;
    return 0;
}

void fleet_free(struct fleet *fleet)
{
    if (!fleet)
        return;
    fleet_waits_expire(&fleet->waits, USEC_INFINITY);
    fleet_link_free(fleet->link);
    fleet_ledger_free(fleet->ledger);
    open_counts_free(fleet->open);
    timer_clear(&fleet->batch_timer);
    timer_clear(&fleet->wait_timer);
    timer_clear(&fleet->alert_timer);
    str_list_clear(&fleet->stores);
    free(fleet->given_name);
    free(fleet);
}

bool fleet_has(const struct fleet *fleet, const struct fleet_settings *settings)
{
    const char *a = fleet->given_name ? fleet->given_name : "";
    const char *b = settings->name ? settings->name : "";

    return str_list_equal(&fleet->stores, settings->stores) && strcmp(a, b) == 0 &&
           fleet->waits.limit_usec == settings->wait_usec &&
           (fleet->open != NULL) == settings->has_addresses;
}

static void hurry(struct fleet *fleet)
{
    if (fleet_link_is_up(fleet->link))
        timer_set_no_later(&fleet->batch_timer, fleet_ledger_due(fleet->ledger));
}

void fleet_note(struct fleet *fleet, const struct throttle_view *view)
{
    fleet_ledger_owe(fleet->ledger, view->number);
    hurry(fleet);
}

void fleet_note_open(struct fleet *fleet, const char *service, const struct source *source,
                     uint32_t own, uint32_t limit)
{
    struct open_key key;

    if (!fleet->open || !open_key_set(&key, service, source))
        return;
    open_counts_set(fleet->open, &key, limit > 0 ? own : 0, limit, time_now_usec(CLOCK_MONOTONIC));
    hurry(fleet);
}

uint32_t fleet_elsewhere(struct fleet *fleet, const char *service, const struct address *address,
                         uint64_t now, uint64_t *ret_at)
{
    struct source source;
    struct open_key key;

    *ret_at = 0;
    if (!fleet->open || !source_of(address, &source) || !open_key_set(&key, service, &source))
        return 0;
    return open_counts_elsewhere(fleet->open, &key, now, ret_at);
}

bool fleet_note_and_wait(struct fleet *fleet, const struct throttle_view *view,
                         struct fleet_wait *wait)
{
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);
    struct throttle_key key;
    struct throttle_view same;

    fleet_note(fleet, view);
    if (!fleet_link_is_up(fleet->link) || !fleet_ledger_sends(fleet->ledger, view->number, now))
        return false;
    throttle_look(fleet->throttle, view->number, now, &key, &same);
    if (!fleet_waits_begin(&fleet->waits, wait, &key, view, now))
        return false;
    timer_set_no_later(&fleet->wait_timer, fleet_waits_due(&fleet->waits));
    return true;
}

const struct alert *fleet_alert(const struct fleet *fleet)
{
    return &fleet->alert;
}

void fleet_describe(const struct fleet *fleet, struct str_buffer *text)
{
    bool is_up = fleet_link_is_up(fleet->link);

    str_buffer_add(text, "the store %s %s: %s%s", fleet_link_store(fleet->link),
                   is_up ? "was away until a moment ago" : "is away",
                   fleet_link_reason(fleet->link),
                   is_up ? "" : "; limits hold for this host alone");
}

void fleet_figures(const struct fleet *fleet, uint64_t now, struct fleet_figures *ret)
{
    *ret = (struct fleet_figures){
        .name = fleet->name,
        .store = fleet_link_store(fleet->link),
        .is_up = fleet_link_is_up(fleet->link),
        .reason = fleet_link_reason(fleet->link),
        .since = fleet_link_since(fleet->link),
        .answered_at = fleet->answered_at,
        .wait_usec = fleet->waits.limit_usec,
        .has_addresses = fleet->open != NULL,
        .n_owed = fleet_ledger_n_owed(fleet->ledger),
        .n_left_out = fleet_ledger_n_left_out(fleet->ledger) +
                      (fleet->open ? open_counts_n_left_out(fleet->open) : 0),
        .n_addresses = fleet->open ? open_counts_n(fleet->open) : 0,
        .n_waits = fleet->waits.n_begun,
        .n_waits_in_vain = fleet->waits.n_in_vain,
    };
    fleet_link_figures(fleet->link, now, &ret->link);
}
