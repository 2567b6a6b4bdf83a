/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What the link makes of the replies of a store, which may be anything. */
#include "base/macro.h"
#include "dispatcherd/fleet/link.h"
#include "dispatcherd/fleet/link_scene.h"
#include "support/simulated_clock.h"
#include "support/suite.h"

#include <stdio.h>
#include <string.h>

#ifdef HAVE_HIREDIS
static struct link_scene scene;

static void set_up(void)
{
    link_scene_start(&scene);
}

static void tear_down(void)
{
    link_scene_end(&scene);
}

static void run(void)
{
    link_scene_run(&scene);
}

static void advance(uint64_t usec)
{
    clock_advance(usec);
    run();
}

static void begin(void)
{
    link_scene_connect(&scene, scene.store.address, NULL);
}

static void begin_up(void)
{
    link_scene_get_up(&scene);
}

static void send_batch(void)
{
    link_scene_send(&scene);
}

static void check_down(const char *reason)
{
    link_scene_check_failure(&scene, reason);
}

static struct fleet_link_figures figures(void)
{
    return link_scene_figures(&scene);
}

START_TEST(test_a_store_that_hangs_up_is_reported)
{
    begin_up();
    played_store_hang_up(&scene.store);
    run();
    check_down("it has closed the connection");
}
END_TEST

static const struct {
    const char *to_load, *to_batch, *reason;
} oddities[] = {
    {"+OK\r\n", NULL, "it does not take the script"},
    {":1\r\n", NULL, "it does not take the script"},
    {"-NOPERM no\r\n", NULL, "it refuses: NOPERM no"},
    {"HTTP/1.1 400 Bad Request\r\n", NULL, "it sends what is no reply of Redis or Valkey"},
    {NULL, "-OOM command not allowed\r\n", "it refuses: OOM command not allowed"},
    {NULL, "-MOVED 1 :6379\r\n", "it refuses: MOVED 1 :6379"},
    {NULL, "+OK\r\n", "it sends what is no answer"},
    {NULL, "*0\r\n", "it sends what is no answer"},
    {NULL, "?\r\n", "it sends what is no reply of Redis or Valkey"},
};

START_TEST(test_anything_else_ends_it)
{
    scene.store.to_load = oddities[_i].to_load;
    scene.store.to_batch = oddities[_i].to_batch;
    begin();
    send_batch();
    check_down(oddities[_i].reason);
    ck_assert_uint_eq(scene.n_answers, 0);
}
END_TEST

START_TEST(test_an_answer_that_does_not_fit_ends_it)
{
    begin_up();
    scene.refuses_answers = true;
    send_batch();
    check_down("it sends what is no answer");
    ck_assert_uint_eq(figures().n_answers, 0);
}
END_TEST

/* As after SCRIPT FLUSH: that is no failure, unless it happens again before an answer. */
START_TEST(test_a_forgotten_script_is_brought_again)
{
    begin_up();
    scene.store.to_batch = "-NOSCRIPT No matching script\r\n";
    send_batch();
    ck_assert(fleet_link_is_up(scene.link));
    ck_assert_uint_eq(scene.n_ups, 2);
    ck_assert_uint_eq(scene.n_downs, 1);
    ck_assert_uint_eq(scene.store.n_loads, 2);
    ck_assert_uint_eq(figures().n_failures, 0);
    scene.store.to_batch = NULL;
    send_batch();
    ck_assert_uint_eq(scene.n_answers, 1);
    scene.store.to_batch = "-NOSCRIPT No matching script\r\n";
    send_batch();
    ck_assert_uint_eq(scene.store.n_loads, 3);
    send_batch();
    ck_assert_str_eq(fleet_link_reason(scene.link), "it refuses: NOSCRIPT No matching script");
    ck_assert(!fleet_link_is_up(scene.link));
}
END_TEST

START_TEST(test_a_cluster_leads_to_the_node_with_the_keys)
{
    char moved[128];

    snprintf(moved, sizeof(moved), "-MOVED 3999 %s\r\n", scene.other.address);
    scene.store.to_batch = moved;
    begin_up();
    send_batch();
    ck_assert(fleet_link_is_up(scene.link));
    ck_assert_str_eq(fleet_link_store(scene.link), scene.other.address);
    ck_assert_uint_eq(figures().n_failures, 0);
    send_batch();
    ck_assert_uint_eq(scene.other.n_batches, 1);
    ck_assert_uint_eq(scene.n_answers, 1);
    /* After a failure the addresses of FLEET are tried again. */
    played_store_hang_up(&scene.other);
    run();
    advance(PAUSE_MAX_USEC);
    ck_assert_str_eq(fleet_link_store(scene.link), scene.store.address);
}
END_TEST

/* Two nodes that name one another. */
START_TEST(test_it_is_not_led_in_a_circle)
{
    char to_other[128], to_store[128];

    snprintf(to_other, sizeof(to_other), "-MOVED 3999 %s\r\n", scene.other.address);
    snprintf(to_store, sizeof(to_store), "-MOVED 3999 %s\r\n", scene.store.address);
    scene.store.to_batch = to_other;
    scene.other.to_batch = to_store;
    begin_up();
    send_batch();
    send_batch();
    ck_assert(!fleet_link_is_up(scene.link));
    ck_assert_int_eq(strncmp(fleet_link_reason(scene.link), "it refuses: MOVED 3999 unix:", 28), 0);
    ck_assert_uint_eq(scene.store.n_connections + scene.other.n_connections, 2);
}
END_TEST

#endif

Suite *make_suite(void)
{
    Suite *suite = suite_create("link_reply");

#ifdef HAVE_HIREDIS
    TCase *tcase = tcase_create("others");

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, test_anything_else_ends_it, 0, ELEMENTSOF(oddities));
    suite_add_tcase(suite, tcase);
    ADD_FIXTURE_TESTS(
        suite, "replies", set_up, tear_down, test_a_store_that_hangs_up_is_reported,
        test_an_answer_that_does_not_fit_ends_it, test_a_forgotten_script_is_brought_again,
        test_a_cluster_leads_to_the_node_with_the_keys, test_it_is_not_led_in_a_circle);
#endif
    return suite;
}
