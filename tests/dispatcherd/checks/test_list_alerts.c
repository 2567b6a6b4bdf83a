/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "dispatcherd/checks/list_alerts.h"
#include "dispatcherd/core/context.h"
#include "dispatcherd/report/events.h"
#include "dispatcherd/report/message_ids.h"
#include "dns/dns_health.h"
#include "support/simulated_clock.h"
#include "support/suite.h"

#include <stdio.h>
#include <string.h>

#define ONE "one.example"
#define TWO "two.example"

static struct context context;
static struct list_alerts alerts;
static unsigned n_changes, n_raised, n_cleared;
static char last_line[1024];

static void count_change(_unused_ struct context *of)
{
    n_changes++;
}

static void take(_unused_ struct follower *follower, json_t *event)
{
    const char *id = json_string_value(json_object_get(event, "message_id"));

    ck_assert_ptr_nonnull(id);
    n_raised += strcmp(id, MESSAGE_ID_DNS_LIST_ILL) == 0;
    n_cleared += strcmp(id, MESSAGE_ID_DNS_LIST_WELL) == 0;
    snprintf(last_line, sizeof(last_line), "%s", json_string_value(json_object_get(event, "text")));
}

static struct follower follower = {.take = take};

static void set_up(void)
{
    context = (struct context){.changed = count_change};
    alerts = (struct list_alerts){0};
    n_changes = n_raised = n_cleared = 0;
    ck_assert_int_ge(sd_event_new(&context.event), 0);
    ck_assert_int_eq(list_alerts_init(&alerts, &context), 0);
    events_follow(&follower);
}

static void tear_down(void)
{
    events_leave(&follower);
    list_alerts_clear(&alerts);
    sd_event_unref(context.event);
}

static void set_aside(const char *zone)
{
    list_alerts_note(&alerts, zone, false, "no answer");
}

static void use_again(const char *zone)
{
    list_alerts_note(&alerts, zone, true, NULL);
}

/* Lets the time go by until the timer is due, and no longer than that. Returns how long it was. */
static uint64_t await_timer(void)
{
    uint64_t usec = alerts.timer.at - simulated_now;

    ck_assert(timer_is_set(&alerts.timer));
    clock_advance(usec);
    alerts.timer.ring(alerts.timer.userdata);
    return usec;
}

static void check(unsigned raised, unsigned cleared)
{
    ck_assert_uint_eq(n_raised, raised);
    ck_assert_uint_eq(n_cleared, cleared);
}

START_TEST(test_a_list_that_is_set_aside_is_reported_at_once)
{
    set_aside(ONE);
    check(1, 0);
    ck_assert_str_eq(last_line, "DNS list " ONE " is set aside, and rejects nobody: no answer; "
                                "check whether \"dig 2.0.0.127." ONE "\" finds an entry");
    ck_assert_uint_eq(n_changes, 1);
    ck_assert_uint_eq(alerts.n_items, 1);
    ck_assert(alerts.items[0].alert.is_raised);
    ck_assert(alerts.items[0].is_ill);
    ck_assert_str_eq(alerts.items[0].reason, "no answer");
    ck_assert(!timer_is_set(&alerts.timer));
}
END_TEST

START_TEST(test_that_it_works_again_is_reported_after_a_while)
{
    set_aside(ONE);
    clock_advance(100 * USEC_PER_SEC);
    use_again(ONE);
    check(1, 0);
    ck_assert(alerts.items[0].alert.is_raised);
    ck_assert_uint_eq(n_changes, 2);
    ck_assert_uint_eq(await_timer(), DNS_HEALTH_ILL_USEC);
    check(1, 1);
    ck_assert_str_eq(last_line, "DNS list " ONE " works again and is queried again; it was set "
                                "aside 1 time within 100 s");
    ck_assert(!alerts.items[0].alert.is_raised);
    ck_assert_uint_eq(n_changes, 3);
    ck_assert(!timer_is_set(&alerts.timer));
}
END_TEST

START_TEST(test_a_list_that_wavers_is_reported_once)
{
    for (int i = 0; i < 10; i++) {
        set_aside(ONE);
        ck_assert(!timer_is_set(&alerts.timer));
        clock_advance(USEC_PER_SEC);
        use_again(ONE);
        clock_advance(DNS_HEALTH_ILL_USEC - 1);
    }
    check(1, 0);
    ck_assert_uint_eq(await_timer(), 1);
    check(1, 1);
    ck_assert_ptr_nonnull(strstr(last_line, "; it was set aside 10 times"));
}
END_TEST

START_TEST(test_the_next_alert_counts_anew)
{
    set_aside(ONE);
    use_again(ONE);
    set_aside(ONE);
    use_again(ONE);
    await_timer();
    list_alerts_note(&alerts, ONE, false, "it lists everybody");
    check(2, 1);
    ck_assert_ptr_nonnull(strstr(last_line, "rejects nobody: it lists everybody;"));
    use_again(ONE);
    await_timer();
    check(2, 2);
    ck_assert_ptr_nonnull(strstr(last_line, "; it was set aside 1 time"));
    ck_assert_uint_eq(alerts.n_items, 1);
}
END_TEST

/* It is asked for the first time, and works. */
START_TEST(test_a_list_that_was_never_set_aside_is_not_reported)
{
    use_again(ONE);
    check(0, 0);
    ck_assert(!timer_is_set(&alerts.timer));
}
END_TEST

START_TEST(test_each_list_has_its_own_alert)
{
    set_aside(ONE);
    set_aside(TWO);
    check(2, 0);
    use_again(TWO);
    clock_advance(5 * USEC_PER_SEC);
    use_again(ONE);
    ck_assert_uint_eq(await_timer(), DNS_HEALTH_ILL_USEC - 5 * USEC_PER_SEC);
    check(2, 1);
    ck_assert_ptr_nonnull(strstr(last_line, TWO));
    ck_assert_uint_eq(await_timer(), 5 * USEC_PER_SEC);
    check(2, 2);
    ck_assert_ptr_nonnull(strstr(last_line, ONE));
}
END_TEST

START_TEST(test_no_more_lists_than_can_be_asked_have_alerts)
{
    static char zones[DNS_ZONES_MAX + 1][16];

    for (size_t i = 0; i <= DNS_ZONES_MAX; i++) {
        snprintf(zones[i], sizeof(zones[i]), "z%zu.example", i);
        set_aside(zones[i]);
    }
    check(DNS_ZONES_MAX, 0);
    ck_assert_uint_eq(alerts.n_items, DNS_ZONES_MAX);
    ck_assert_uint_eq(n_changes, DNS_ZONES_MAX);
    /* Those that have one are still found. */
    use_again(zones[DNS_ZONES_MAX - 1]);
    await_timer();
    check(DNS_ZONES_MAX, 1);
}
END_TEST

START_TEST(test_clearing_ends_the_timer)
{
    set_aside(ONE);
    use_again(ONE);
    list_alerts_clear(&alerts);
    ck_assert(!timer_is_made(&alerts.timer));
    list_alerts_clear(&alerts);
}
END_TEST

SUITE("list_alerts", set_up, tear_down, test_a_list_that_is_set_aside_is_reported_at_once,
      test_that_it_works_again_is_reported_after_a_while, test_a_list_that_wavers_is_reported_once,
      test_the_next_alert_counts_anew, test_a_list_that_was_never_set_aside_is_not_reported,
      test_each_list_has_its_own_alert, test_no_more_lists_than_can_be_asked_have_alerts,
      test_clearing_ends_the_timer)
