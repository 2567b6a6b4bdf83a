/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What would be decided about a client: with each stage, without asking or counting. What the
 * control socket makes of it is in control/test_explain.c. */
#include "base/time.h"
#include "dispatcherd/checks/admission.h"
#include "dispatcherd/checks/trial.h"
#include "dispatcherd/control_scene.h"
#include "support/suite.h"

#include <string.h>

static const char configuration[] =
    "[SERVICE=SMTP]\nPORT=25\nIMAGE=smtp\nMAX_CONNS_PER_ADDRESS=2\nDNS_VERIFY_DOMAIN=list.invalid\n"
    "[SERVICE=POP3]\nPORT=110\nIMAGE=pop3\n";

/* Each address has an entry of its own. */
static const char tables[] =
    "PORT_ACCESS\n"
    "\n"
    "  TCP|*|*|192.0.2.1|*  $N500$ no\n"
    "  TCP|*|*|192.0.2.2|*  $C$[conn_throttle,throttle,192.0.2.2,1]$N421$ slow\n"
    "  TCP|*|*|192.0.2.3|*  $Y\n"
    "  TCP|*|*|192.0.2.4|*  $C$?50?$N\n";

static struct control_scene scene;
static struct trial trial;

static void set_up(void)
{
    scene_init(&scene, configuration);
    scene_admit(&scene, tables);
    trial.trace.n_max = TRACE_LINES_MAX;
}

static void tear_down(void)
{
    trace_lines_clear(&trial.trace);
    scene_clear(&scene);
}

static void try_by(size_t service, const char *client, const struct trial_rules *rules)
{
    struct address address, local;

    trace_lines_clear(&trial.trace);
    trial.trace.n_max = TRACE_LINES_MAX;
    ck_assert_int_eq(address_parse(client, &address), 0);
    ck_assert_int_eq(address_parse("198.51.100.1", &local), 0);
    local.port = 25;
    ck_assert_int_eq(trial_run(scene.services[service], rules, &address, &local, &trial), 0);
}

static void try(size_t service, const char *client)
{
    const struct trial_rules rules = trial_rules_in_force(scene.services[service]);

    try_by(service, client, &rules);
}

static bool traces(const char *text)
{
    for (size_t i = 0; i < trial.trace.lines.n_items; i++)
        if (strstr(trial.trace.lines.items[i], text))
            return true;
    return false;
}

START_TEST(test_an_entry_rejects_with_its_text)
{
    try(0, "192.0.2.1");
    ck_assert(trial.is_rejected);
    ck_assert(trial.is_certain);
    ck_assert_int_eq(trial.reason, REJECTED_BY_MAPPING);
    ck_assert_ptr_nonnull(trial.entry);
    ck_assert_uint_eq(trial.entry->line, 3);
    ck_assert_ptr_nonnull(strstr(trial.text, "500 no"));
}
END_TEST

/* One that is admitted by an entry needs no list. */
START_TEST(test_an_entry_admits_past_the_lists)
{
    try(0, "192.0.2.3");
    ck_assert(!trial.is_rejected);
    ck_assert(trial.is_certain);
    ck_assert_uint_eq(trial.entry->line, 5);
    ck_assert(!traces("DNS list"));
}
END_TEST

START_TEST(test_without_an_entry_the_lists_leave_it_open)
{
    try(0, "192.0.2.99");
    ck_assert(!trial.is_rejected);
    ck_assert(!trial.is_certain);
    ck_assert_ptr_null(trial.entry);
    ck_assert(traces("DNS list list.invalid is not queried now"));
}
END_TEST

START_TEST(test_chance_is_no_certainty)
{
    try(0, "192.0.2.4");
    ck_assert(!trial.is_certain);
}
END_TEST

/* However often it is tried, the throttle counts only real connections. */
START_TEST(test_nothing_is_counted)
{
    struct throttle *throttle = scene.context.admission->throttle;
    struct address client;

    ck_assert_int_eq(address_parse("192.0.2.2", &client), 0);
    for (unsigned i = 0; i < 3; i++) {
        try(0, "192.0.2.2");
        ck_assert(!trial.is_rejected);
        ck_assert(traces("0 connections count in this minute, of at most 1: one more is allowed"));
    }
    ck_assert(
        !throttle_is_over(throttle, THROTTLE_PLAIN, &client, 1, time_now_usec(CLOCK_MONOTONIC)));
    try(0, "192.0.2.2");
    ck_assert(trial.is_rejected);
    ck_assert_int_eq(trial.reason, REJECTED_BY_THROTTLE);
    ck_assert(traces("1 connection counts in this minute, of at most 1: one more is too many"));
}
END_TEST

START_TEST(test_the_limit_for_an_address_counts_those_that_are_there)
{
    uint32_t of_address, of_network;

    try(0, "192.0.2.7");
    ck_assert(!trial.is_rejected);
    ck_assert(traces("MAX_CONNS_PER_ADDRESS: it would be connection 1 of at most 2 at a time"));
    for (unsigned i = 0; i < 2; i++)
        connection_count(scene_add_connection(&scene, 0, NULL), &of_address, &of_network);
    try(0, "192.0.2.7");
    ck_assert(trial.is_rejected);
    ck_assert_int_eq(trial.reason, REJECTED_FOR_ADDRESS);
    ck_assert_str_eq(trial.detail, "MAX_CONNS_PER_ADDRESS");
    ck_assert_ptr_null(trial.entry);
    ck_assert_uint_gt(strlen(trial.text), 0);
    try(0, "192.0.2.8");
    ck_assert(!trial.is_rejected);
}
END_TEST

/* $Y names the address: the limit does not apply, and that is said. */
START_TEST(test_an_entry_with_y_lifts_the_limit)
{
    struct connection *connections[2];
    uint32_t of_address, of_network;

    for (unsigned i = 0; i < 2; i++) {
        connections[i] = scene_add_connection(&scene, 0, NULL);
        ck_assert_int_eq(address_parse("192.0.2.3", &connections[i]->peer), 0);
        connection_count(connections[i], &of_address, &of_network);
    }
    ck_assert_uint_eq(of_address, 2);
    try(0, "192.0.2.3");
    ck_assert(!trial.is_rejected);
    ck_assert(traces("but that limit does not apply to an address named by an entry with $Y"));
}
END_TEST

/* Those of a file that is not in force yet: dispatcherctl plan. */
START_TEST(test_other_rules_decide_otherwise)
{
    struct trial_rules rules = trial_rules_in_force(scene.services[1]);

    try(1, "192.0.2.99");
    ck_assert(!trial.is_rejected);
    ck_assert_ptr_eq(rules.options, scene.services[1]->options);
    struct service_options options = *rules.options;
    options.max_conns_per_address = 1;
    options.proxy_protocol = true;
    rules.options = &options;
    uint32_t of_address, of_network;
    connection_count(scene_add_connection(&scene, 1, NULL), &of_address, &of_network);
    try_by(1, "192.0.2.7", &rules);
    ck_assert(trial.is_rejected);
    ck_assert(traces("PROXY_PROTOCOL: the client's address is the one in the PROXY header"));
}
END_TEST

START_TEST(test_a_trace_has_a_limit)
{
    const struct trial_rules rules = trial_rules_in_force(scene.services[0]);
    struct address client, local;

    ck_assert_int_eq(address_parse("192.0.2.99", &client), 0);
    ck_assert_int_eq(address_parse("198.51.100.1", &local), 0);
    trial.trace.n_max = 2;
    ck_assert_int_eq(trial_run(scene.services[0], &rules, &client, &local, &trial), 0);
    ck_assert_uint_eq(trial.trace.lines.n_items, 2);
    ck_assert_str_eq(trial.trace.lines.items[1], "...");
}
END_TEST

SUITE("trial", set_up, tear_down, test_an_entry_rejects_with_its_text,
      test_an_entry_admits_past_the_lists, test_without_an_entry_the_lists_leave_it_open,
      test_chance_is_no_certainty, test_nothing_is_counted,
      test_the_limit_for_an_address_counts_those_that_are_there,
      test_an_entry_with_y_lifts_the_limit, test_other_rules_decide_otherwise,
      test_a_trace_has_a_limit)
