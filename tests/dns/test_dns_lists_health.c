/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
#include "access/tcp.h"
#include "dns/dns_scene.h"
#include "support/suite.h"

#include "base/macro.h"
#include "base/time.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *zone;
    enum dns_behaviour behaviour;
    const char *reason;
} ill_lists[] = {
    {"world.test", DNS_WORLD, "lists everybody"},
    {"refuses.test", DNS_REFUSES, "refuses queries from our name server"},
    {"silent.test", DNS_SILENT, "does not answer"},
    {"garbage.test", DNS_GARBAGE, ""},
    {"parked.test", DNS_PARKED, "is not, or no longer, a DNS list"},
    {"dead.test", DNS_DEAD, "is not, or no longer, a DNS list"},
    {"fails.test", DNS_FAILS, "fail"},
};

static bool is_ill(void *userdata)
{
    return dns_scene_figures(userdata).is_set_aside;
}

static bool is_well(void *userdata)
{
    return !is_ill(userdata);
}

START_TEST(test_sets_ill_lists_aside_and_takes_them_back)
{
    const char *zone = ill_lists[_i].zone;
    struct scene_result result;

    dns_lists_set_times(scene.lists, LIMIT_USEC, LONG_USEC, 100 * USEC_PER_MSEC);
    ck_assert_int_ne(dns_scene_ask("192.0.2.1", ZONES(zone)), DNS_LISTS_LISTED);
    loop_until(scene.event, is_ill, (void *)zone);
    ck_assert_uint_eq(scene.n_ill, 1);
    ck_assert_ptr_nonnull(strstr(scene.last_health, ill_lists[_i].reason));
    ck_assert_uint_ne(dns_scene_figures(zone).since_usec, 0);
    unsigned n_queries = scene.server.n_queries;
    ck_assert(dns_scene_start(&result, "192.0.2.3", ZONES(zone), true));
    ck_assert_int_eq(result.answer.outcome, DNS_LISTS_SET_ASIDE);
    ck_assert_uint_eq(scene.server.n_queries, n_queries);

    scene.server.plays[ill_lists[_i].behaviour] = DNS_LIST;
    loop_until(scene.event, is_well, (void *)zone);
    ck_assert_uint_eq(scene.n_ill, 1);
    ck_assert_uint_eq(scene.n_well, 1);
    ck_assert_int_eq(dns_scene_ask("192.0.2.3", ZONES(zone)), DNS_LISTS_LISTED);
    ck_assert_int_eq(dns_scene_ask("192.0.2.2", ZONES(zone)), DNS_LISTS_CLEAN);
}
END_TEST

START_TEST(test_three_time_outs_in_a_row_set_a_list_aside)
{
    ck_assert_int_eq(dns_scene_ask("192.0.2.1", ZONES("slow.test")), DNS_LISTS_TIMED_OUT);
    ck_assert_int_eq(dns_scene_ask("192.0.2.3", ZONES("slow.test")), DNS_LISTS_TIMED_OUT);
    scene.server.plays[DNS_SLOW] = DNS_LIST;
    ck_assert_int_eq(dns_scene_ask("192.0.2.4", ZONES("slow.test")), DNS_LISTS_CLEAN);
    scene.server.plays[DNS_SLOW] = DNS_SLOW;
    ck_assert_int_eq(dns_scene_ask("192.0.2.5", ZONES("slow.test")), DNS_LISTS_TIMED_OUT);
    ck_assert_int_eq(dns_scene_ask("192.0.2.7", ZONES("slow.test")), DNS_LISTS_TIMED_OUT);
    ck_assert_uint_eq(scene.n_ill, 0);
    (void)dns_scene_ask("192.0.2.9", ZONES("slow.test"));
    ck_assert_uint_eq(scene.n_ill, 1);
    ck_assert_int_eq(dns_scene_ask("192.0.2.11", ZONES("slow.test")), DNS_LISTS_SET_ASIDE);
}
END_TEST

/* A port that refuses fails at once: no less a failure than a time-out. */
START_TEST(test_a_name_server_that_is_gone_sets_a_list_aside)
{
    ck_assert_int_eq(dns_scene_ask("192.0.2.1", ZONES("list.test")), DNS_LISTS_LISTED);
    dns_server_stop(&scene.server);
    ck_assert_int_eq(dns_scene_ask("192.0.2.3", ZONES("list.test")), DNS_LISTS_FAILED);
    ck_assert_int_eq(dns_scene_ask("192.0.2.5", ZONES("list.test")), DNS_LISTS_FAILED);
    ck_assert_uint_eq(scene.n_ill, 0);
    (void)dns_scene_ask("192.0.2.7", ZONES("list.test"));
    ck_assert_uint_eq(scene.n_ill, 1);
    ck_assert_ptr_nonnull(strstr(scene.last_health, "connection refused"));
    ck_assert_int_eq(dns_scene_ask("192.0.2.9", ZONES("list.test")), DNS_LISTS_SET_ASIDE);
}
END_TEST

static bool has_asked(_unused_ void *userdata)
{
    return scene.server.n_queries > 0;
}

/* What the old ones have not answered yet is asked again, within its limit. */
START_TEST(test_other_name_servers_are_asked_again)
{
    struct dns_server other;
    struct scene_result result;

    dns_lists_set_times(scene.lists, 100 * LIMIT_USEC, LONG_USEC, LONG_USEC);
    scene.server.plays[DNS_LIST] = DNS_SILENT;
    ck_assert(!dns_scene_start(&result, "192.0.2.1", ZONES("list.test"), false));
    loop_until(scene.event, has_asked, NULL);
    dns_server_start(&other, scene.event);
    ck_assert_int_eq(dns_lists_set_servers(scene.lists, "no address"), -EINVAL);
    ck_assert_int_eq(dns_lists_set_servers(scene.lists, other.address), 0);
    loop_until_flag(scene.event, &result.is_done);
    ck_assert_int_eq(result.answer.outcome, DNS_LISTS_LISTED);
    ck_assert_uint_eq(other.n_queries, 1);
    dns_server_stop(&other);
}
END_TEST

/* A list that was set aside for want of a name server is taken back at once, not in half a
 * minute. */
START_TEST(test_other_name_servers_bring_a_list_back)
{
    struct dns_server other;

    dns_server_start(&other, scene.event);
    dns_server_stop(&scene.server);
    (void)dns_scene_ask("192.0.2.1", ZONES("list.test"));
    loop_until(scene.event, is_ill, (void *)"list.test");
    ck_assert_int_eq(dns_lists_set_servers(scene.lists, other.address), 0);
    loop_until(scene.event, is_well, (void *)"list.test");
    ck_assert_int_eq(dns_scene_ask("192.0.2.3", ZONES("list.test")), DNS_LISTS_LISTED);
    dns_server_stop(&other);
}
END_TEST

/* It would hold up every check there may be, without ever timing out. */
START_TEST(test_a_list_that_a_crowd_waits_for_is_set_aside)
{
    static struct scene_result results[DNS_HEALTH_CROWD + 1];
    char client[32];

    ck_assert_int_eq(dns_scene_ask("192.0.2.1", ZONES("list.test")), DNS_LISTS_LISTED);
    dns_lists_set_times(scene.lists, LONG_USEC, LONG_USEC, LONG_USEC);
    scene.server.plays[DNS_LIST] = DNS_SLOW;
    for (size_t i = 0; i < ELEMENTSOF(results); i++) {
        snprintf(client, sizeof(client), "198.18.%zu.%zu", i / 256, i % 256);
        ck_assert(!dns_scene_start(&results[i], client, ZONES("list.test"), false));
    }
    for (size_t i = 0; i < ELEMENTSOF(results); i++) {
        loop_until_flag(scene.event, &results[i].is_done);
        ck_assert_int_eq(results[i].answer.outcome, DNS_LISTS_SET_ASIDE);
    }
    ck_assert_uint_eq(scene.n_ill, 1);
    ck_assert_ptr_nonnull(strstr(scene.last_health, "too slow"));
}
END_TEST

/* A list that goes bad while it is in use. */
START_TEST(test_tests_again_and_again)
{
    dns_lists_set_times(scene.lists, LIMIT_USEC, 50 * USEC_PER_MSEC, LONG_USEC);
    ck_assert_int_eq(dns_scene_ask("192.0.2.2", ZONES("list.test")), DNS_LISTS_CLEAN);
    scene.server.plays[DNS_LIST] = DNS_WORLD;
    (void)dns_scene_ask("192.0.2.2", ZONES("list.test"));
    loop_until(scene.event, is_ill, (void *)"list.test");
    ck_assert_int_eq(dns_scene_ask("192.0.2.4", ZONES("list.test")), DNS_LISTS_SET_ASIDE);
}
END_TEST

/* The first "yes" of a list may come before the test that says what it is worth. */
START_TEST(test_a_yes_waits_for_the_first_test)
{
    struct scene_result of_list, of_world;

    scene.server.holds_tests = true;
    (void)dns_scene_start(&of_list, "192.0.2.1", ZONES("list.test"), false);
    (void)dns_scene_start(&of_world, "192.0.2.1", ZONES("world.test"), false);
    while (scene.server.n_queries < 2 || scene.server.n_held < 4)
        ck_assert_int_ge(sd_event_run(scene.event, USEC_PER_SEC), 0);
    (void)loop_while_busy(scene.event);
    ck_assert(!of_list.is_done && !of_world.is_done);
    dns_server_release_tests(&scene.server);
    loop_until_flag(scene.event, &of_list.is_done);
    loop_until_flag(scene.event, &of_world.is_done);
    ck_assert_int_eq(of_list.answer.outcome, DNS_LISTS_LISTED);
    ck_assert_int_eq(of_world.answer.outcome, DNS_LISTS_SET_ASIDE);
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("dns_lists_health");
    TCase *tests = tcase_create("dns_lists_health");

    tcase_add_checked_fixture(tests, dns_scene_setup, dns_scene_teardown);
    tcase_add_loop_test(tests, test_sets_ill_lists_aside_and_takes_them_back, 0,
                        (int)ELEMENTSOF(ill_lists));
    tcase_add_test(tests, test_three_time_outs_in_a_row_set_a_list_aside);
    tcase_add_test(tests, test_a_name_server_that_is_gone_sets_a_list_aside);
    tcase_add_test(tests, test_a_list_that_a_crowd_waits_for_is_set_aside);
    tcase_add_test(tests, test_other_name_servers_are_asked_again);
    tcase_add_test(tests, test_other_name_servers_bring_a_list_back);
    tcase_add_test(tests, test_tests_again_and_again);
    tcase_add_test(tests, test_a_yes_waits_for_the_first_test);
    suite_add_tcase(suite, tests);
    return suite;
}
