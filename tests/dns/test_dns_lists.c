/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "access/tcp.h"
#include "dns/dns_scene.h"
#include "support/suite.h"

#include "base/macro.h"
#include "base/time.h"

#include <stdio.h>
#include <string.h>

START_TEST(test_tells_who_is_listed)
{
    ck_assert_int_eq(dns_scene_ask("192.0.2.1", ZONES("list.test")), DNS_LISTS_LISTED);
    ck_assert_int_eq(dns_scene_ask("192.0.2.2", ZONES("list.test")), DNS_LISTS_CLEAN);
    ck_assert_str_eq(scene.server.last_name, "2.2.0.192.list.test");
    ck_assert_int_eq(dns_scene_ask("2001:db8::2", ZONES("list.test")), DNS_LISTS_CLEAN);
    ck_assert_uint_eq(scene.server.n_tests, 2);
    ck_assert_uint_eq(scene.server.n_texts, 0);
    struct dns_zone_figures figures = dns_scene_figures("list.test");
    ck_assert_uint_eq(figures.n_queries, 3);
    ck_assert_uint_eq(figures.n_listed, 1);
    ck_assert(!figures.is_set_aside);
    ck_assert_uint_eq(scene.n_ill + scene.n_well, 0);
}
END_TEST

START_TEST(test_knows_from_the_cache_at_once)
{
    struct scene_result result;

    ck_assert(!dns_scene_start(&result, "192.0.2.1", ZONES("list.test"), true));
    loop_until_flag(scene.event, &result.is_done);
    ck_assert_str_eq(result.text, "Blocked; see https://list.test/?ip=$1|$N?~");
    ck_assert_int_eq(dns_scene_ask("192.0.2.2", ZONES("List.Test.")), DNS_LISTS_CLEAN);
    unsigned n_queries = scene.server.n_queries;
    ck_assert(dns_scene_start(&result, "192.0.2.1", ZONES("LIST.test."), true));
    ck_assert_int_eq(result.answer.outcome, DNS_LISTS_LISTED);
    ck_assert_str_eq(result.answer.zone, "list.test");
    ck_assert_str_eq(result.text, "Blocked; see https://list.test/?ip=$1|$N?~");
    ck_assert(dns_scene_start(&result, "192.0.2.2", ZONES("list.test"), true));
    ck_assert_int_eq(result.answer.outcome, DNS_LISTS_CLEAN);
    ck_assert_uint_eq(scene.server.n_queries, n_queries);
}
END_TEST

static int look(const char *client, const char *zone, struct dns_lists_answer *ret)
{
    struct address address;

    ck_assert_int_eq(address_parse(client, &address), 0);
    return dns_lists_look(scene.lists, &address, zone, ret) ? (int)ret->outcome : -1;
}

START_TEST(test_looking_asks_nobody)
{
    struct dns_lists_answer answer;
    struct dns_zone_figures figures;

    ck_assert_int_eq(look("192.0.2.1", "list.test", &answer), -1);
    ck_assert_int_eq(look("10.0.0.1", "list.test", &answer), DNS_LISTS_NOT_ASKED);
    ck_assert_int_eq(look("192.0.2.1", "192.0.2.9", &answer), DNS_LISTS_FAILED);
    ck_assert_ptr_null(dns_lists_next_zone(scene.lists, NULL, &figures));
    ck_assert_int_eq(dns_scene_ask("192.0.2.1", ZONES("list.test")), DNS_LISTS_LISTED);
    ck_assert_int_eq(dns_scene_ask("192.0.2.2", ZONES("list.test")), DNS_LISTS_CLEAN);
    ck_assert_int_eq(look("192.0.2.1", "LIST.test.", &answer), DNS_LISTS_LISTED);
    ck_assert(answer.is_listed);
    ck_assert_int_eq(look("192.0.2.2", "list.test", &answer), DNS_LISTS_CLEAN);
    ck_assert_int_eq(look("192.0.2.3", "list.test", &answer), -1);
    ck_assert_uint_eq(dns_scene_figures("list.test").n_queries, 2);
    ck_assert_uint_eq(dns_lists_n_queries(scene.lists), 0);
}
END_TEST

START_TEST(test_never_asks_about_private_clients)
{
    struct scene_result result;

    ck_assert(dns_scene_start(&result, "127.0.0.1", ZONES("list.test"), false));
    ck_assert_int_eq(result.answer.outcome, DNS_LISTS_NOT_ASKED);
    ck_assert(dns_scene_start(&result, "192.0.2.1", ZONES(NULL), false));
    ck_assert_int_eq(result.answer.outcome, DNS_LISTS_NOT_ASKED);
    ck_assert_uint_eq(scene.server.n_tests + scene.server.n_queries, 0);
}
END_TEST

START_TEST(test_first_yes_decides_without_the_others)
{
    struct scene_result result;
    uint64_t begin = time_now_usec(CLOCK_MONOTONIC);

    dns_lists_set_times(scene.lists, DNS_QUERY_LIMIT_USEC, LONG_USEC, LONG_USEC);
    ck_assert(!dns_scene_start(&result, "192.0.2.1", ZONES("slow.test", "list.test"), false));
    loop_until_flag(scene.event, &result.is_done);
    ck_assert_int_eq(result.answer.outcome, DNS_LISTS_LISTED);
    ck_assert_str_eq(result.answer.zone, "list.test");
    ck_assert_uint_lt(time_now_usec(CLOCK_MONOTONIC) - begin, USEC_PER_SEC);
}
END_TEST

START_TEST(test_silence_accepts_after_the_limit)
{
    struct scene_result result;

    uint64_t begin = time_now_usec(CLOCK_MONOTONIC);
    ck_assert(!dns_scene_start(&result, "192.0.2.2", ZONES("slow.test", "list.test"), false));
    loop_until_flag(scene.event, &result.is_done);
    ck_assert_int_eq(result.answer.outcome, DNS_LISTS_TIMED_OUT);
    ck_assert_str_eq(result.answer.zone, "slow.test");
    ck_assert_uint_ge(time_now_usec(CLOCK_MONOTONIC) - begin, LIMIT_USEC);
    ck_assert_uint_eq(dns_scene_figures("slow.test").n_timed_out, 1);
    ck_assert(!dns_scene_figures("slow.test").is_set_aside);
}
END_TEST

START_TEST(test_joins_those_who_ask_the_same)
{
    struct scene_result results[50];

    for (size_t i = 0; i < ELEMENTSOF(results); i++)
        ck_assert(!dns_scene_start(&results[i], "192.0.2.1", ZONES("list.test"), true));
    for (size_t i = 0; i < ELEMENTSOF(results); i++)
        loop_until_flag(scene.event, &results[i].is_done);
    for (size_t i = 0; i < ELEMENTSOF(results); i++)
        ck_assert_int_eq(results[i].answer.outcome, DNS_LISTS_LISTED);
    ck_assert_uint_eq(scene.server.n_queries, 1);
    ck_assert_uint_eq(scene.server.n_texts, 1);
    ck_assert_uint_eq(dns_scene_figures("list.test").n_listed, ELEMENTSOF(results));
}
END_TEST

START_TEST(test_cancelled_requests_hear_nothing)
{
    struct scene_result first, second, third;

    (void)dns_scene_start(&first, "192.0.2.1", ZONES("list.test"), true);
    (void)dns_scene_start(&second, "192.0.2.1", ZONES("list.test"), true);
    (void)dns_scene_start(&third, "192.0.2.2", ZONES("list.test", "slow.test"), true);
    dns_request_cancel(first.request);
    loop_until_flag(scene.event, &second.is_done);
    ck_assert(!first.is_done);
    dns_request_cancel(third.request);
    ck_assert_uint_eq(dns_lists_n_requests(scene.lists), 0);
    dns_request_cancel(NULL);
}
END_TEST

static bool is_nothing_open(void *userdata)
{
    return dns_lists_n_requests(userdata) == 0;
}

START_TEST(test_a_callback_may_cancel_the_others)
{
    struct scene_result first, second;

    (void)dns_scene_start(&first, "192.0.2.1", ZONES("list.test"), false);
    (void)dns_scene_start(&second, "192.0.2.1", ZONES("list.test"), false);
    first.to_cancel = second.request;
    second.to_cancel = first.request;
    loop_until(scene.event, is_nothing_open, scene.lists);
    ck_assert_int_ne(first.is_done, second.is_done);
    ck_assert_uint_eq(dns_lists_n_requests(scene.lists), 0);
}
END_TEST

START_TEST(test_frees_with_open_requests)
{
    struct scene_result results[2];

    (void)dns_scene_start(&results[0], "192.0.2.1", ZONES("slow.test", "silent.test"), true);
    (void)dns_scene_start(&results[1], "192.0.2.1", ZONES("list.test"), true);
    ck_assert_uint_eq(dns_lists_n_requests(scene.lists), 2);
    dns_lists_free(scene.lists);
    /* What is answered now has nobody to go to. */
    dns_scene_open_lists(scene.server.address);
    ck_assert_int_eq(dns_scene_ask("192.0.2.1", ZONES("list.test")), DNS_LISTS_LISTED);
    ck_assert(!results[0].is_done && !results[1].is_done);
}
END_TEST

START_TEST(test_what_is_no_zone_accepts)
{
    ck_assert_int_eq(dns_scene_ask("192.0.2.1", ZONES("192.0.2.1")), DNS_LISTS_FAILED);
    ck_assert_int_eq(dns_scene_ask("192.0.2.1", ZONES("a..b", "")), DNS_LISTS_FAILED);
    ck_assert_int_eq(dns_scene_ask("192.0.2.1", ZONES("a..b", "list.test")), DNS_LISTS_LISTED);
}
END_TEST

START_TEST(test_no_name_server_accepts)
{
    dns_lists_free(scene.lists);
    dns_scene_open_lists("127.0.0.1:1"); /* tcpmux: nobody there */
    enum dns_lists_outcome outcome = dns_scene_ask("192.0.2.1", ZONES("list.test"));
    ck_assert(outcome == DNS_LISTS_FAILED || outcome == DNS_LISTS_TIMED_OUT ||
              outcome == DNS_LISTS_SET_ASIDE);
}
END_TEST

START_TEST(test_refuses_servers_that_are_none)
{
    const struct dns_lists_callbacks callbacks = {0};
    struct dns_lists *other;

    ck_assert_int_lt(dns_lists_new(scene.event, "no address", &callbacks, &other), 0);
}
END_TEST

/* Asks the slow list about so many clients, 198.NET.*.*. */
static void ask_many(struct scene_result *results, unsigned net, size_t n)
{
    char client[32];

    for (size_t i = 0; i < n; i++) {
        snprintf(client, sizeof(client), "198.%u.%zu.%zu", net, i / 256, i % 256);
        ck_assert(!dns_scene_start(&results[i], client, ZONES("slow.test"), false));
    }
}

START_TEST(test_is_capped)
{
    static struct scene_result results[DNS_QUERIES_MAX];
    struct scene_result one;

    ck_assert_int_eq(dns_scene_ask("192.0.2.1", ZONES("list.test")), DNS_LISTS_LISTED);
    ck_assert_int_eq(dns_scene_ask("192.0.2.1", ZONES("slow.test")), DNS_LISTS_TIMED_OUT);
    dns_lists_set_times(scene.lists, LONG_USEC, LONG_USEC, LONG_USEC);
    ask_many(results, 18, DNS_QUERIES_MAX);
    /* The one that has passed its limit takes nobody's room. */
    ck_assert_uint_eq(dns_lists_n_queries(scene.lists), DNS_QUERIES_MAX + 1);
    ck_assert(dns_scene_start(&one, "192.0.2.9", ZONES("slow.test"), false));
    ck_assert_int_eq(one.answer.outcome, DNS_LISTS_OVER_CAP);
    /* What is known, or asked already, is not refused. */
    ck_assert(dns_scene_start(&one, "192.0.2.1", ZONES("list.test"), false));
    ck_assert_int_eq(one.answer.outcome, DNS_LISTS_LISTED);
    ck_assert(!dns_scene_start(&one, "198.18.0.1", ZONES("slow.test"), false));
}
END_TEST

static enum dns_lists_outcome outcome_at_once(const char *client)
{
    struct scene_result result;

    ck_assert(dns_scene_start(&result, client, ZONES("slow.test"), false));
    return result.answer.outcome;
}

/* One service's flood does not let in those that another's lists would keep out. */
START_TEST(test_each_account_has_its_share)
{
    static struct scene_result results[DNS_QUERIES_MAX], of_other[DNS_QUERIES_MAX];
    struct dns_account flooded = {0}, other = {0};

    dns_lists_set_times(scene.lists, LONG_USEC, LONG_USEC, LONG_USEC);
    scene.account = &flooded;
    ask_many(results, 18, DNS_QUERIES_MAX);
    ck_assert_int_eq(outcome_at_once("192.0.2.9"), DNS_LISTS_OVER_CAP);
    scene.account = &other;
    ask_many(of_other, 19, DNS_QUERIES_MAX / 2);
    ck_assert_int_eq(outcome_at_once("192.0.2.9"), DNS_LISTS_OVER_CAP);
    /* More than its share, of which nothing comes back before it is down to that. */
    for (size_t i = 0; i < DNS_QUERIES_MAX; i++)
        dns_request_cancel(results[i].request);
    scene.account = &flooded;
    ck_assert_int_eq(outcome_at_once("192.0.2.9"), DNS_LISTS_OVER_CAP);
    /* Who goes leaves all to the others. */
    dns_lists_close_account(scene.lists, &flooded);
    scene.account = &other;
    ask_many(of_other + DNS_QUERIES_MAX / 2, 20, DNS_QUERIES_MAX / 2);
    ck_assert_int_eq(outcome_at_once("192.0.2.9"), DNS_LISTS_OVER_CAP);
    dns_lists_close_account(scene.lists, &other);
    scene.account = NULL;
}
END_TEST

SUITE("dns_lists", dns_scene_setup, dns_scene_teardown, test_tells_who_is_listed,
      test_knows_from_the_cache_at_once, test_looking_asks_nobody,
      test_never_asks_about_private_clients, test_first_yes_decides_without_the_others,
      test_silence_accepts_after_the_limit, test_joins_those_who_ask_the_same,
      test_cancelled_requests_hear_nothing, test_a_callback_may_cancel_the_others,
      test_frees_with_open_requests, test_what_is_no_zone_accepts, test_no_name_server_accepts,
      test_refuses_servers_that_are_none, test_is_capped, test_each_account_has_its_share)
