/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The connection to a store: each way into its states, and out of them if an answer does not come.
 */
#include "dispatcherd/fleet/link.h"
#include "dispatcherd/fleet/link_scene.h"
#include "support/simulated_clock.h"
#include "support/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef HAVE_HIREDIS
static struct link_scene scene;

static void set_up(void)
{
    unsetenv("CREDENTIALS_DIRECTORY");
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

static void begin_with(const char *first, const char *second)
{
    link_scene_connect(&scene, first, second);
}

static struct fleet_link_figures figures_at(uint64_t now)
{
    struct fleet_link_figures then;

    fleet_link_figures(scene.link, now, &then);
    return then;
}

START_TEST(test_takes_the_script_there_and_is_up)
{
    begin_up();
    ck_assert_uint_eq(scene.n_ups, 1);
    ck_assert_uint_eq(scene.n_downs, 0);
    ck_assert_uint_eq(scene.store.n_auths, 0);
    ck_assert_uint_eq(scene.store.n_loads, 1);
    ck_assert_str_eq(fleet_link_store(scene.link), scene.store.address);
    ck_assert_str_eq(fleet_link_reason(scene.link), "");
    ck_assert_uint_gt(figures().n_bytes_sent, 1000);
    ck_assert_uint_eq(figures().n_bytes_received, strlen("$40\r\n" PLAYED_SHA "\r\n"));
}
END_TEST

START_TEST(test_batches_go_there_and_answers_come_back)
{
    begin_up();
    send_batch();
    ck_assert_uint_eq(scene.store.n_batches, 1);
    ck_assert_str_eq(played_store_argument(&scene.store, 0), "mx1");
    ck_assert_uint_eq(scene.n_answers, 1);
    ck_assert_uint_eq(figures().n_answers, 1);
    advance(10 * FLEET_LINK_DEADLINE_USEC); /* nothing is awaited */
    ck_assert(fleet_link_is_up(scene.link));
}
END_TEST

START_TEST(test_nothing_is_queued_before_it_is_up)
{
    scene.store.to_load = "";
    begin();
    send_batch();
    scene.oldest_at = UINT64_MAX;
    played_store_send(&scene.store, "$40\r\n" PLAYED_SHA "\r\n");
    run();
    ck_assert(fleet_link_is_up(scene.link));
    ck_assert_uint_eq(scene.store.n_batches, 0);
}
END_TEST

static void give_password(char folder[32], bool is_readable)
{
    char path[64];

    strcpy(folder, "/tmp/link-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/fleet.password", folder);
    if (is_readable) {
        FILE *stream = fopen(path, "we");

        ck_assert_ptr_nonnull(stream);
        fputs("secret\n", stream);
        fclose(stream);
    } else {
        ck_assert_int_eq(mkdir(path, 0700), 0);
    }
    ck_assert_int_eq(setenv("CREDENTIALS_DIRECTORY", folder, true), 0);
}

static void take_password(const char *folder)
{
    char path[64];

    snprintf(path, sizeof(path), "%s/fleet.password", folder);
    ck_assert_int_eq(remove(path), 0);
    ck_assert_int_eq(rmdir(folder), 0);
}

START_TEST(test_the_password_goes_first)
{
    char folder[32];

    give_password(folder, true);
    begin_up();
    ck_assert_uint_eq(scene.store.n_auths, 1);
    ck_assert_str_eq(scene.store.password, "secret");
    ck_assert_uint_eq(scene.store.n_loads, 1);
    take_password(folder);
}
END_TEST

START_TEST(test_a_wrong_password_is_reported)
{
    char folder[32];

    give_password(folder, true);
    scene.store.to_auth = "-WRONGPASS invalid\r\n";
    begin();
    check_down("it refuses: WRONGPASS invalid");
    take_password(folder);
}
END_TEST

START_TEST(test_a_password_that_cannot_be_read_is_reported)
{
    char folder[32];

    give_password(folder, false);
    begin();
    check_down("cannot read the credential fleet.password: Is a directory");
    ck_assert_uint_eq(scene.store.n_loads, 0);
    take_password(folder);
}
END_TEST

START_TEST(test_the_next_address_is_tried_at_once)
{
    played_store_go_away(&scene.store);
    begin_with(scene.store.address, scene.other.address);
    ck_assert(fleet_link_is_up(scene.link));
    ck_assert_str_eq(fleet_link_store(scene.link), scene.other.address);
    ck_assert_str_eq(fleet_link_reason(scene.link), "cannot connect: No such file or directory");
    ck_assert_uint_eq(scene.n_downs, 1);
    /* And the first one after the last. */
    played_store_come_back(&scene.store);
    played_store_hang_up(&scene.other);
    run();
    ck_assert(!fleet_link_is_up(scene.link));
    advance(PAUSE_MAX_USEC);
    ck_assert(fleet_link_is_up(scene.link));
    ck_assert_str_eq(fleet_link_store(scene.link), scene.store.address);
}
END_TEST

START_TEST(test_after_all_addresses_there_is_a_pause)
{
    played_store_go_away(&scene.store);
    played_store_go_away(&scene.other);
    begin_with(scene.store.address, scene.other.address);
    ck_assert_uint_eq(scene.n_downs, 2);
    ck_assert_uint_eq(figures().n_failures, 2);
    played_store_come_back(&scene.store);
    advance(PAUSE_MIN_USEC);
    ck_assert(!fleet_link_is_up(scene.link));
    advance(PAUSE_MAX_USEC - PAUSE_MIN_USEC);
    ck_assert(fleet_link_is_up(scene.link));
}
END_TEST

/* The pause doubles until there has been an answer: that it takes the script is not enough. */
START_TEST(test_only_an_answer_ends_the_growth_of_the_pause)
{
    begin_up();
    for (unsigned i = 0; i < 2; i++) {
        played_store_hang_up(&scene.store);
        run();
        advance((i + 1) * PAUSE_MAX_USEC);
        ck_assert(fleet_link_is_up(scene.link));
    }
    played_store_hang_up(&scene.store);
    run();
    advance(2 * PAUSE_MAX_USEC);
    ck_assert(!fleet_link_is_up(scene.link));
    advance(2 * PAUSE_MAX_USEC);
    ck_assert(fleet_link_is_up(scene.link));
    send_batch();
    played_store_hang_up(&scene.store);
    run();
    advance(PAUSE_MAX_USEC);
    ck_assert(fleet_link_is_up(scene.link));
}
END_TEST

START_TEST(test_a_late_greeting_ends_it)
{
    scene.store.to_load = "";
    begin();
    advance(FLEET_LINK_DEADLINE_USEC - 1);
    ck_assert_uint_eq(scene.n_downs, 0);
    advance(2);
    check_down("no answer within 50 ms");
    ck_assert_uint_eq(figures().n_late, 1);
}
END_TEST

START_TEST(test_a_late_answer_ends_it)
{
    begin_up();
    scene.store.to_batch = "";
    advance(30 * USEC_PER_MSEC);
    send_batch();
    advance(30 * USEC_PER_MSEC);
    send_batch(); /* what counts is the oldest */
    advance(FLEET_LINK_DEADLINE_USEC - 30 * USEC_PER_MSEC - 1);
    ck_assert(fleet_link_is_up(scene.link));
    advance(2);
    check_down("no answer within 50 ms");
    ck_assert_uint_eq(figures().n_late, 1);
    ck_assert_uint_eq(scene.n_answers, 0);
}
END_TEST

/* What has come meanwhile is read before the store is called late. */
START_TEST(test_a_late_loop_is_not_the_stores_fault)
{
    static const char answer[] = "*7\r\n:1000\r\n:0\r\n:0\r\n$4\r\nabcd\r\n:0\r\n*0\r\n*0\r\n";

    begin_up();
    scene.store.to_batch = "";
    send_batch();
    played_store_send(&scene.store, answer);
    advance(USEC_PER_SEC);
    ck_assert(fleet_link_is_up(scene.link));
    ck_assert_uint_eq(scene.n_answers, 1);
}
END_TEST

START_TEST(test_a_store_that_reads_nothing_ends_it)
{
    static struct fleet_batch large;

    for (large.n_items = 0; large.n_items < FLEET_BATCH_KEYS; large.n_items++)
        large.items[large.n_items].key.source.family = AF_INET;
    scene.store.reads_nothing = true;
    begin();
    played_store_send(&scene.store, "$40\r\n" PLAYED_SHA "\r\n");
    run();
    ck_assert(fleet_link_is_up(scene.link));
    for (unsigned i = 0; i < 1000 && fleet_link_is_up(scene.link); i++) {
        large.sent_at = time_now_usec(CLOCK_MONOTONIC);
        fleet_link_send(scene.link, &large);
        run();
    }
    check_down("cannot send: No buffer space available");
}
END_TEST

START_TEST(test_a_name_without_an_address_is_reported)
{
    begin_with("two..dots:6379", NULL);
    for (unsigned i = 0; i < 3000 && scene.n_downs == 0; i++) {
        usleep(1000);
        advance(USEC_PER_MSEC);
    }
    ck_assert_uint_eq(scene.n_downs, 1);
    ck_assert_int_eq(strncmp(fleet_link_reason(scene.link), "cannot look up its name: ", 25), 0);
    ck_assert_str_eq(fleet_link_store(scene.link), "two..dots:6379");
}
END_TEST

START_TEST(test_time_without_a_store_is_counted)
{
    played_store_go_away(&scene.store);
    uint64_t at = time_now_usec(CLOCK_MONOTONIC);
    begin();
    ck_assert_uint_eq(fleet_link_since(scene.link), at);
    ck_assert_uint_eq(figures_at(at + 5).down_usec, 5);
    played_store_come_back(&scene.store);
    advance(PAUSE_MAX_USEC);
    ck_assert_uint_eq(fleet_link_since(scene.link), at + PAUSE_MAX_USEC);
    ck_assert_uint_eq(figures_at(at + 10 * PAUSE_MAX_USEC).down_usec, PAUSE_MAX_USEC);
    advance(1000);
    played_store_hang_up(&scene.store);
    run();
    ck_assert_uint_eq(fleet_link_since(scene.link), at + PAUSE_MAX_USEC + 1000);
    ck_assert_uint_eq(figures_at(at + PAUSE_MAX_USEC + 1007).down_usec, PAUSE_MAX_USEC + 7);
}
END_TEST

#endif

Suite *make_suite(void)
{
    Suite *suite = suite_create("link");

#ifdef HAVE_HIREDIS
    ADD_FIXTURE_TESTS(suite, "greeting", set_up, tear_down, test_takes_the_script_there_and_is_up,
                      test_batches_go_there_and_answers_come_back,
                      test_nothing_is_queued_before_it_is_up, test_the_password_goes_first,
                      test_a_wrong_password_is_reported,
                      test_a_password_that_cannot_be_read_is_reported);
    ADD_FIXTURE_TESTS(
        suite, "attempts", set_up, tear_down, test_the_next_address_is_tried_at_once,
        test_after_all_addresses_there_is_a_pause, test_only_an_answer_ends_the_growth_of_the_pause,
        test_a_name_without_an_address_is_reported, test_time_without_a_store_is_counted);
    ADD_FIXTURE_TESTS(suite, "limits", set_up, tear_down, test_a_late_greeting_ends_it,
                      test_a_late_answer_ends_it, test_a_late_loop_is_not_the_stores_fault,
                      test_a_store_that_reads_nothing_ends_it);
#endif
    return suite;
}
