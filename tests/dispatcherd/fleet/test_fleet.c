/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* Limits over several hosts, with a store that the test plays, in simulated time. */
#include "support/suite.h"

#include "base/macro.h"
#include "dispatcherd/core/context.h"
#include "dispatcherd/fleet/fleet.h"
#include "dispatcherd/fleet/played_store.h"
#include "dispatcherd/report/events.h"
#include "support/simulated_clock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define RATE          10
#define WAIT_USEC     (20 * USEC_PER_MSEC)
#define PAUSE_USEC    (300 * USEC_PER_MSEC) /* longer than the first one of breaker.h */
#define LATE_USEC     (FLEET_LINK_DEADLINE_USEC + 1)
#define QUIET_MAX_SEC 20

static struct context context;
static struct throttle *throttle;
static struct played_store store;
static struct fleet *fleet;
static unsigned n_changes, n_lines;
static char line[512];

static void on_change(_unused_ struct context *of)
{
    n_changes++;
}

static void take(_unused_ struct follower *follower, json_t *event)
{
    n_lines++;
    snprintf(line, sizeof(line), "%s", json_string_value(json_object_get(event, "text")));
}

static struct follower follower = {.take = take};

static void set_up(void)
{
    ck_assert_int_ge(sd_event_new(&context.event), 0);
    context.changed = on_change;
    n_changes = n_lines = 0;
    fleet = NULL;
    ck_assert_int_eq(throttle_new(64, &context.hash_key, &throttle), 0);
    played_store_start(&store, context.event);
    events_follow(&follower);
}

static void tear_down(void)
{
    fleet_free(fleet);
    fleet_free(NULL);
    events_leave(&follower);
    throttle_free(throttle);
    played_store_end(&store);
    sd_event_unref(context.event);
}

static int make(const char *name, bool has_addresses)
{
    char *items[] = {store.address};
    const struct str_list stores = {.items = items, .n_items = 1};
    const struct fleet_settings settings = {
        .stores = &stores, .name = name, .wait_usec = WAIT_USEC, .has_addresses = has_addresses};

    return fleet_new(&context, throttle, &settings, &fleet);
}

#ifdef HAVE_HIREDIS
struct decision {
    struct fleet_wait wait;
    unsigned n_calls;
    struct throttle_view view;
};

static void on_decided(struct fleet_wait *wait, const struct throttle_view *view)
{
    struct decision *decision = CONTAINER_OF(wait, struct decision, wait);

    decision->n_calls++;
    decision->view = *view;
}

static void run(void)
{
    while (sd_event_run(context.event, 0) > 0)
        ;
}

static void advance(uint64_t usec)
{
    clock_advance(usec);
    run();
}

/* In steps, so that batches go out at their times. */
static void pass_seconds(unsigned n)
{
    for (unsigned i = 0; i < 50 * n; i++)
        advance(USEC_PER_SEC / 50);
}

static void begin(bool has_addresses)
{
    ck_assert_int_eq(make("mx1", has_addresses), 0);
    run();
}

static struct fleet_figures figures(void)
{
    struct fleet_figures now;

    fleet_figures(fleet, time_now_usec(CLOCK_MONOTONIC), &now);
    return now;
}

static void check_description(const char *wanted)
{
    char text[512];
    struct str_buffer buffer = str_buffer_init(text, sizeof(text));

    fleet_describe(fleet, &buffer);
    ck_assert_str_eq(text, wanted);
}

static struct throttle_view count(void)
{
    struct address address;
    struct throttle_view view;

    ck_assert_int_eq(address_parse("192.0.2.1", &address), 0);
    throttle_count(throttle, THROTTLE_PLAIN, &address, RATE, time_now_usec(CLOCK_MONOTONIC), &view);
    return view;
}

static uint32_t others_of(const struct throttle_view *view)
{
    struct throttle_key key;
    struct throttle_view now;

    throttle_look(throttle, view->number, time_now_usec(CLOCK_MONOTONIC), &key, &now);
    return now.others;
}

/* Counts a connection that may wait. Returns whether it does. */
static bool count_and_wait(struct decision *decision)
{
    struct throttle_view view = count();

    *decision = (struct decision){.wait.decided = on_decided};
    return fleet_note_and_wait(fleet, &view, &decision->wait);
}

START_TEST(test_connects_and_notifies)
{
    begin(false);
    ck_assert(figures().is_up);
    ck_assert_str_eq(figures().name, "mx1");
    ck_assert_str_eq(figures().store, store.address);
    ck_assert_str_eq(figures().reason, "");
    ck_assert_uint_eq(n_changes, 1);
    ck_assert_uint_eq(n_lines, 0);
    played_store_go_away(&store);
    run();
    ck_assert(!figures().is_up);
    ck_assert_uint_eq(n_changes, 2);
}
END_TEST

/* The same after each start, and not the identifier itself. */
START_TEST(test_a_host_has_a_name_of_its_own)
{
    char first[64];

    int r = make(NULL, false);
    if (r < 0) {
        printf("# skipped: this host has no identifier (machine-id(5)): %s\n", strerror(-r));
        return;
    }
    snprintf(first, sizeof(first), "%s", figures().name);
    ck_assert_uint_eq(strlen(first), 32);
    ck_assert_uint_eq(strspn(first, "0123456789abcdef"), 32);
    fleet_free(fleet);
    ck_assert_int_eq(make(NULL, false), 0);
    ck_assert_str_eq(figures().name, first);
}
END_TEST

START_TEST(test_knows_its_settings)
{
    char *items[] = {store.address, (char *)"192.0.2.1:6379"};
    struct str_list one = {.items = items, .n_items = 1}, two = {.items = items, .n_items = 2};
    const struct fleet_settings same = {.stores = &one, .name = "mx1", .wait_usec = WAIT_USEC};
    struct fleet_settings changed = same;

    begin(false);
    ck_assert(fleet_has(fleet, &same));
    changed.stores = &two;
    ck_assert(!fleet_has(fleet, &changed));
    changed = same;
    changed.name = "mx2";
    ck_assert(!fleet_has(fleet, &changed));
    changed.name = NULL;
    ck_assert(!fleet_has(fleet, &changed));
    changed = same;
    changed.wait_usec = 0;
    ck_assert(!fleet_has(fleet, &changed));
    changed = same;
    changed.has_addresses = true;
    ck_assert(!fleet_has(fleet, &changed));
}
END_TEST

START_TEST(test_a_count_goes_to_the_store_and_others_come_back)
{
    begin(false);
    struct throttle_view view = count();
    fleet_note(fleet, &view);
    ck_assert_uint_eq(figures().n_owed, 1);
    store.others = 7;
    advance(FLEET_BATCH_USEC);
    ck_assert_uint_eq(figures().n_owed, 0);
    ck_assert_uint_eq(played_store_n_keys(&store), 1);
    ck_assert_str_eq(played_store_argument(&store, 0), "mx1");
    ck_assert_str_eq(played_store_argument(&store, 5), "1"); /* its count */
    ck_assert_str_eq(played_store_argument(&store, 6), "10");
    ck_assert_uint_eq(others_of(&view), 7);
    ck_assert_uint_eq(figures().link.n_answers, store.n_batches);
}
END_TEST

START_TEST(test_counts_are_owed_until_there_is_a_store)
{
    played_store_go_away(&store);
    begin(false);
    struct throttle_view view = count();
    fleet_note(fleet, &view);
    advance(FLEET_BATCH_USEC);
    ck_assert_uint_eq(figures().n_owed, 1);
    played_store_come_back(&store);
    store.others = 3;
    advance(PAUSE_USEC);
    advance(FLEET_BATCH_USEC);
    ck_assert_uint_eq(figures().n_owed, 0);
    ck_assert_uint_eq(others_of(&view), 3);
}
END_TEST

START_TEST(test_a_decision_waits_for_the_answer)
{
    struct decision decision;

    begin(false);
    store.others = RATE;
    ck_assert(count_and_wait(&decision));
    ck_assert_uint_eq(decision.n_calls, 0);
    advance(FLEET_BATCH_USEC);
    ck_assert_uint_eq(decision.n_calls, 1);
    ck_assert_uint_eq(decision.view.own + decision.view.others, RATE + 1);
    ck_assert_uint_eq(figures().n_waits, 1);
    ck_assert_uint_eq(figures().n_waits_in_vain, 0);
    /* Now it is known without the store. */
    ck_assert(!count_and_wait(&decision));
    advance(WAIT_USEC);
    ck_assert_uint_eq(decision.n_calls, 0);
}
END_TEST

START_TEST(test_a_decision_waits_no_longer_than_it_may)
{
    struct decision decision;

    begin(false);
    advance(FLEET_BATCH_USEC);
    store.to_batch = "";
    ck_assert(count_and_wait(&decision));
    advance(WAIT_USEC - 1);
    ck_assert_uint_eq(decision.n_calls, 0);
    advance(1);
    ck_assert_uint_eq(decision.n_calls, 1);
    ck_assert_uint_eq(decision.view.own, 1);
    ck_assert_uint_eq(decision.view.others, 0);
    ck_assert_uint_eq(figures().n_waits_in_vain, 1);
}
END_TEST

START_TEST(test_without_a_store_nothing_waits)
{
    struct decision first, second;

    begin(false);
    store.to_batch = "";
    ck_assert(count_and_wait(&first));
    played_store_go_away(&store);
    run();
    ck_assert_uint_eq(first.n_calls, 1);
    ck_assert(!count_and_wait(&second));
    played_store_come_back(&store);
    advance(PAUSE_USEC);
    ck_assert(count_and_wait(&second));
    fleet_free(fleet);
    fleet = NULL;
    ck_assert_uint_eq(second.n_calls, 1);
}
END_TEST

static void note_open(uint32_t own, uint32_t limit)
{
    const struct source source = {.family = AF_INET, .prefix = {192, 0, 2, 1}};

    fleet_note_open(fleet, "smtp", &source, own, limit);
    advance(FLEET_BATCH_USEC);
}

static uint32_t elsewhere(const char *host, uint64_t *ret_at)
{
    struct address address;

    ck_assert_int_eq(address_parse(host, &address), 0);
    return fleet_elsewhere(fleet, "smtp", &address, time_now_usec(CLOCK_MONOTONIC), ret_at);
}

START_TEST(test_open_connections_are_counted_over_the_fleet)
{
    uint64_t at;

    begin(true);
    store.others = 4;
    note_open(2, 5);
    ck_assert_str_eq(played_store_key(&store, 0), "dispatcherd:{fleet}:open:smtp:4:c0000201");
    ck_assert_str_eq(played_store_argument(&store, 5), "2");
    ck_assert_str_eq(played_store_argument(&store, 6), "5");
    ck_assert_uint_eq(elsewhere("192.0.2.1", &at), 4);
    ck_assert_uint_eq(at, time_now_usec(CLOCK_MONOTONIC));
    ck_assert_uint_eq(figures().n_addresses, 1);
    ck_assert_uint_eq(elsewhere("192.0.2.2", &at), 0);
    ck_assert_uint_eq(at, 0);
    /* Without a limit here, the other hosts do not count them. */
    note_open(3, 0);
    ck_assert_str_eq(played_store_argument(&store, 5), "0");
}
END_TEST

START_TEST(test_open_connections_stay_here_unless_they_are_shared)
{
    uint64_t at = 1;

    begin(false);
    store.others = 4;
    note_open(2, 5);
    advance(USEC_PER_SEC);
    ck_assert_uint_eq(played_store_n_keys(&store), 0);
    ck_assert_str_eq(played_store_argument(&store, 4), "-");
    ck_assert_uint_eq(elsewhere("192.0.2.1", &at), 0);
    ck_assert_uint_eq(at, 0);
    ck_assert_uint_eq(figures().n_addresses, 0);
}
END_TEST

/* A moment is none. */
START_TEST(test_a_store_that_is_away_for_a_second_is_an_alert)
{
    char wanted[256];

    begin(false);
    played_store_go_away(&store);
    run();
    snprintf(wanted, sizeof(wanted),
             "the store %s is away: it has closed the connection; limits hold for this host alone",
             store.address);
    check_description(wanted);
    advance(USEC_PER_SEC - 1);
    ck_assert(!fleet_alert(fleet)->is_raised);
    ck_assert_uint_eq(n_lines, 0);
    pass_seconds(1);
    ck_assert(fleet_alert(fleet)->is_raised);
    ck_assert_uint_eq(n_lines, 1);
    snprintf(wanted, sizeof(wanted),
             "fleet: the store %s is away: cannot connect: No such file or directory; limits hold "
             "for this host alone",
             store.address);
    ck_assert_str_eq(line, wanted);
}
END_TEST

START_TEST(test_the_alert_ends_when_the_store_has_been_back_for_a_while)
{
    char wanted[256];

    played_store_go_away(&store);
    begin(false);
    pass_seconds(2);
    ck_assert(fleet_alert(fleet)->is_raised);
    played_store_come_back(&store);
    pass_seconds(3);
    ck_assert(figures().is_up);
    ck_assert(fleet_alert(fleet)->is_raised);
    snprintf(wanted, sizeof(wanted),
             "the store %s was away until a moment ago: cannot connect: No such file or directory",
             store.address);
    check_description(wanted);
    for (unsigned i = 0; i < QUIET_MAX_SEC && fleet_alert(fleet)->is_raised; i++)
        pass_seconds(1);
    ck_assert(!fleet_alert(fleet)->is_raised);
    ck_assert_uint_eq(n_lines, 2);
    snprintf(wanted, sizeof(wanted), "fleet: the store %s is back after ", store.address);
    ck_assert_int_eq(strncmp(line, wanted, strlen(wanted)), 0);
    ck_assert_ptr_nonnull(strstr(line, " s; limits hold over all hosts again"));
}
END_TEST

START_TEST(test_another_clock_is_reported_once)
{
    static const struct {
        int64_t skew_usec;
        const char *text; /* NULL: no line */
    } cases[] = {{5 * (int64_t)USEC_PER_SEC, " is 5 s ahead of this host's; "},
                 {-5 * (int64_t)USEC_PER_SEC, " is 5 s behind this host's; "},
                 {USEC_PER_SEC / 2, NULL}};

    for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
        n_lines = 0;
        store.skew_usec = cases[i].skew_usec;
        begin(false);
        pass_seconds(1);
        ck_assert_uint_eq(n_lines, cases[i].text ? 1 : 0);
        if (cases[i].text)
            ck_assert_ptr_nonnull(strstr(line, cases[i].text));
        fleet_free(fleet);
        fleet = NULL;
    }
}
END_TEST

/* One for another number of keys, and one that nothing was asked for. */
START_TEST(test_an_answer_to_something_else_ends_the_connection)
{
    store.to_batch = "*7\r\n:1000\r\n:0\r\n:0\r\n$4\r\nabcd\r\n:0\r\n*0\r\n*2\r\n:0\r\n:0\r\n";
    begin(false);
    run();
    ck_assert_uint_eq(store.n_batches, 1);
    ck_assert(!figures().is_up);
    ck_assert_str_eq(figures().reason, "it sends what is no answer");
    store.to_batch = NULL;
    advance(PAUSE_USEC);
    ck_assert(figures().is_up);
    played_store_send(&store, "*7\r\n:1000\r\n:0\r\n:0\r\n$4\r\nabcd\r\n:0\r\n*0\r\n*0\r\n");
    run();
    ck_assert(!figures().is_up);
}
END_TEST

/* Late is what was asked for first. */
START_TEST(test_a_late_answer_ends_the_connection)
{
    begin(false);
    advance(USEC_PER_SEC);
    store.to_batch = "";
    struct throttle_view view = count();
    fleet_note(fleet, &view);
    advance(FLEET_BATCH_USEC);
    advance(LATE_USEC);
    ck_assert(!figures().is_up);
    ck_assert_uint_eq(figures().link.n_late, 1);
}
END_TEST
#else
START_TEST(test_is_refused_without_hiredis)
{
    ck_assert_int_eq(make("mx1", false), -EOPNOTSUPP);
    ck_assert_ptr_null(fleet);
}
END_TEST
#endif

Suite *make_suite(void)
{
    Suite *suite = suite_create("fleet");

#ifdef HAVE_HIREDIS
    ADD_FIXTURE_TESTS(suite, "fleet", set_up, tear_down, test_connects_and_notifies,
                      test_a_host_has_a_name_of_its_own, test_knows_its_settings,
                      test_a_store_that_is_away_for_a_second_is_an_alert,
                      test_the_alert_ends_when_the_store_has_been_back_for_a_while,
                      test_another_clock_is_reported_once,
                      test_an_answer_to_something_else_ends_the_connection,
                      test_a_late_answer_ends_the_connection);
    ADD_FIXTURE_TESTS(
        suite, "counts", set_up, tear_down, test_a_count_goes_to_the_store_and_others_come_back,
        test_counts_are_owed_until_there_is_a_store, test_a_decision_waits_for_the_answer,
        test_a_decision_waits_no_longer_than_it_may, test_without_a_store_nothing_waits,
        test_open_connections_are_counted_over_the_fleet,
        test_open_connections_stay_here_unless_they_are_shared);
#else
    ADD_FIXTURE_TESTS(suite, "fleet", set_up, tear_down, test_is_refused_without_hiredis);
#endif
    return suite;
}
