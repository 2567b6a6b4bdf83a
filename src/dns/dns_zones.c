/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dns/dns_zones.h"

#include "base/macro.h"
#include "base/str.h"
#include "base/time.h"
#include "base/timer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

/* A test may be this much late. */
#define ACCURACY_USEC USEC_PER_SEC

/* One of the two queries of a test. */
struct test_question {
    struct dns_waiter waiter;
    struct dns_zone *zone;
    struct dns_health_answer answer; /* valid when the waiter waits no more */
};

struct dns_zone {
    struct dns_zones *owner;
    TAILQ_ENTRY(dns_zone) link;
    struct dns_zone_figures figures;
    struct dns_health health;
    size_t n_waiting;   /* checks that wait for its answer */
    uint64_t tested_at; /* when the present or the last test began */
    bool is_tested;     /* a test is under way */
    bool was_used;      /* since the last test; zones that are not used are not tested */
    struct test_question listed;
    struct test_question unlisted;
    char name[DNS_ZONE_MAX + 1];
};

struct dns_zones {
    sd_event *event;
    struct dns_queries *queries;
    struct dns_zones_hooks hooks;
    uint64_t usec_well;
    uint64_t usec_ill;
    struct timer timer; /* set to the first test that is due */
    TAILQ_HEAD(, dns_zone) list;
    size_t n_zones;
};

/* Zones that are in use are tested. One that is set aside is tested in any case, so that it can be
 * used again. */
static bool awaits_test(const struct dns_zone *zone)
{
    return !zone->is_tested && (zone->was_used || zone->health.state == DNS_HEALTH_ILL);
}

static void set_timer(struct dns_zones *zones)
{
    uint64_t next = USEC_INFINITY;
    const struct dns_zone *zone;

    TAILQ_FOREACH(zone, &zones->list, link) {
        if (awaits_test(zone) && zone->health.next_test_usec < next)
            next = zone->health.next_test_usec;
        if (dns_health_crowd_due(&zone->health) < next)
            next = dns_health_crowd_due(&zone->health);
    }
    timer_set_at(&zones->timer, next);
}

/* Reports a change, and the end of the first test. */
static void tell(struct dns_zone *zone, bool is_change)
{
    const struct dns_zones_hooks *hooks = &zone->owner->hooks;
    bool is_well = zone->health.state != DNS_HEALTH_ILL;

    if (is_change) {
        zone->figures.is_set_aside = !is_well;
        zone->figures.since_usec = time_now_usec(CLOCK_REALTIME);
    }
    zone->figures.reason = zone->health.reason;
    zone->figures.lacks_test_entry = zone->health.lacks_test_entry;
    if (is_change && hooks->on_health)
        hooks->on_health(zone->name, is_well, zone->health.reason, hooks->on_health_userdata);
    hooks->on_change(zone, hooks->on_change_userdata);
}

static void on_test_answer(struct dns_waiter *waiter, int error, const struct dns_fact *fact)
{
    struct test_question *question = CONTAINER_OF(waiter, struct test_question, waiter);
    struct dns_zone *zone = question->zone;
    const struct dns_zones *owner = zone->owner;

    question->answer = (struct dns_health_answer){
        .error = error,
        .meaning = fact ? fact->meaning : DNS_ANSWER_CLEAN,
        .took_usec = time_now_usec(CLOCK_MONOTONIC) - zone->tested_at,
    };
    if (zone->listed.waiter.query || zone->unlisted.waiter.query)
        return;
    zone->is_tested = false;
    bool is_change =
        dns_health_note_test(&zone->health, zone->listed.answer, zone->unlisted.answer,
                             time_now_usec(CLOCK_MONOTONIC), owner->usec_well, owner->usec_ill);
    set_timer(zone->owner);
    tell(zone, is_change);
}

/* Returns 0 if there will be an answer. */
static int ask(struct test_question *question, const char *client)
{
    struct dns_zone *zone = question->zone;
    char name[DNS_NAME_MAX + 1];
    struct str_buffer text = str_buffer_init(name, sizeof(name));
    struct dns_fact fact;

    str_buffer_add(&text, "%s%s", client, zone->name);
    const struct dns_question wanted = {.name = name, .type = DNS_TYPE_A, .is_test = true};
    return dns_queries_ask(zone->owner->queries, &wanted, &question->waiter, &fact);
}

/* Without memory for the queries the test is made later; until then the zone counts as well. */
static void start_test(struct dns_zone *zone)
{
    zone->was_used = false;
    zone->is_tested = true;
    zone->tested_at = time_now_usec(CLOCK_MONOTONIC);
    if (ask(&zone->listed, DNS_HEALTH_LISTED_CLIENT) == 0 &&
        ask(&zone->unlisted, DNS_HEALTH_UNLISTED_CLIENT) == 0)
        return;
    dns_waiter_leave(&zone->listed.waiter);
    zone->is_tested = false;
    if (zone->health.state == DNS_HEALTH_UNTESTED)
        zone->health.state = DNS_HEALTH_WELL;
    zone->health.next_test_usec =
        time_add_usec(time_now_usec(CLOCK_MONOTONIC), zone->owner->usec_ill);
}

static void on_timer(void *userdata)
{
    struct dns_zones *zones = userdata;
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);
    struct dns_zone *zone;

    TAILQ_FOREACH(zone, &zones->list, link) {
        if (dns_health_look_at_crowd(&zone->health, now))
            tell(zone, true);
        if (awaits_test(zone) && zone->health.next_test_usec <= now)
            start_test(zone);
    }
    set_timer(zones);
}

void dns_zone_wait_begins(struct dns_zone *zone)
{
    zone->n_waiting++;
    if (dns_health_note_waiting(&zone->health, zone->n_waiting, time_now_usec(CLOCK_MONOTONIC)))
        set_timer(zone->owner);
}

void dns_zone_wait_ends(struct dns_zone *zone)
{
    zone->n_waiting--;
    (void)dns_health_note_waiting(&zone->health, zone->n_waiting, time_now_usec(CLOCK_MONOTONIC));
}

void dns_zones_on_query_end(void *topic, const struct dns_query_end *end)
{
    struct dns_zone *zone = topic;
    const struct dns_health_answer answer = {
        .error = end->error,
        .meaning = end->fact ? end->fact->meaning : DNS_ANSWER_CLEAN,
        .took_usec = end->took_usec,
    };
    uint64_t next = zone->health.next_test_usec;

    if (end->type != DNS_TYPE_A)
        return;
    bool is_change = dns_health_note_answer(&zone->health, answer, time_now_usec(CLOCK_MONOTONIC));
    if (is_change || zone->health.next_test_usec != next)
        set_timer(zone->owner);
    if (is_change)
        tell(zone, is_change);
}

static int add_zone(struct dns_zones *zones, const char *name, struct dns_zone **ret)
{
    if (zones->n_zones >= DNS_ZONES_MAX)
        return -ENOSPC;
    struct dns_zone *zone = calloc(1, sizeof(*zone));
    if (!zone)
        return -ENOMEM;
    zone->owner = zones;
    strcpy(zone->name, name);
    zone->figures.zone = zone->name;
    zone->listed = (struct test_question){.waiter.callback = on_test_answer, .zone = zone};
    zone->unlisted = (struct test_question){.waiter.callback = on_test_answer, .zone = zone};
    TAILQ_INSERT_TAIL(&zones->list, zone, link);
    zones->n_zones++;
    *ret = zone;
    return 0;
}

int dns_zones_use(struct dns_zones *zones, const char *text, struct dns_zone **ret)
{
    char name[DNS_ZONE_MAX + 1];
    struct dns_zone *zone;
    int r = dns_list_read_zone(text, name);

    if (r < 0)
        return r;
    TAILQ_FOREACH(zone, &zones->list, link)
        if (strcmp(zone->name, name) == 0)
            break;
    if (!zone && (r = add_zone(zones, name, &zone)) < 0)
        return r;
    if (!zone->was_used) {
        zone->was_used = true;
        if (awaits_test(zone) && zone->health.next_test_usec <= time_now_usec(CLOCK_MONOTONIC))
            start_test(zone);
        set_timer(zones);
    }
    *ret = zone;
    return 0;
}

int dns_zones_new(sd_event *event, struct dns_queries *queries, const struct dns_zones_hooks *hooks,
                  struct dns_zones **ret)
{
    struct dns_zones *zones = calloc(1, sizeof(*zones));

    if (!zones)
        return -ENOMEM;
    TAILQ_INIT(&zones->list);
    zones->event = sd_event_ref(event);
    zones->queries = queries;
    zones->hooks = *hooks;
    zones->usec_well = DNS_HEALTH_WELL_USEC;
    zones->usec_ill = DNS_HEALTH_ILL_USEC;
    int r = timer_init(&zones->timer, event, ACCURACY_USEC, on_timer, zones);
    if (r < 0) {
        dns_zones_free(zones);
        return r;
    }
    *ret = zones;
    return 0;
}

void dns_zones_free(struct dns_zones *zones)
{
    struct dns_zone *zone;

    if (!zones)
        return;
    while ((zone = TAILQ_FIRST(&zones->list))) {
        dns_waiter_leave(&zone->listed.waiter);
        dns_waiter_leave(&zone->unlisted.waiter);
        TAILQ_REMOVE(&zones->list, zone, link);
        free(zone);
    }
    timer_clear(&zones->timer);
    sd_event_unref(zones->event);
    free(zones);
}

void dns_zones_set_intervals(struct dns_zones *zones, uint64_t usec_well, uint64_t usec_ill)
{
    zones->usec_well = usec_well;
    zones->usec_ill = usec_ill;
}

void dns_zones_start_afresh(struct dns_zones *zones)
{
    uint64_t now = time_now_usec(CLOCK_MONOTONIC);
    struct dns_zone *zone;

    TAILQ_FOREACH(zone, &zones->list, link)
        dns_health_start_afresh(&zone->health, now);
    set_timer(zones);
}

const char *dns_zone_name(const struct dns_zone *zone)
{
    return zone->name;
}

enum dns_health_state dns_zone_state(const struct dns_zone *zone)
{
    return zone->health.state;
}

struct dns_zone_figures *dns_zone_figures(struct dns_zone *zone)
{
    return &zone->figures;
}

struct dns_zone *dns_zones_next(const struct dns_zones *zones, const struct dns_zone *previous)
{
    return previous ? TAILQ_NEXT(previous, link) : TAILQ_FIRST(&zones->list);
}
