/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What an administrator still has to do, as far as the daemon itself can see. */
#include "access/tcp.h"
#include "base/time.h"
#include "dispatcherd/due_find.h"
#include "dispatcherd/manager_scene.h"
#include "dispatcherd/service/listener.h"
#include "support/suite.h"

#include <string.h>

#define SMTP "[SERVICE=SMTP]\nPORT=25\nIMAGE=/bin/true\nMIN_PROCS=1\n"

static struct manager_scene scene;
static struct manager *manager;

static void run(void)
{
    manager_scene_run(&scene);
}

static void set_up(void)
{
    manager_scene_start(&scene, SMTP, NULL);
    manager = &scene.manager;
    manager_scene_open(&scene, 0);
}

static void tear_down(void)
{
    manager_scene_end(&scene);
}

static void check_due(const char *text, const char *command)
{
    ck_assert_uint_eq(manager->due.n_items, 1);
    ck_assert_ptr_nonnull(strstr(manager->due.items[0].text, text));
    ck_assert_str_eq(due_command(&manager->due), command);
}

START_TEST(test_when_all_is_in_force_nothing_is_due)
{
    ck_assert(!due_refresh(manager));
    ck_assert_uint_eq(manager->due.n_items, 0);
    ck_assert_str_eq(due_command(&manager->due), "");
}
END_TEST

START_TEST(test_a_changed_file_is_to_be_read)
{
    ck_assert(!due_refresh(manager));
    /* The time of a file may be some milliseconds behind that of the reading. */
    do
        manager_scene_write(&scene, SMTP "MAX_PROCS=9\n", NULL);
    while (!due_refresh(manager));
    check_due("has changed since it was read", "dispatcherctl reload");
    ck_assert(!due_refresh(manager));
}
END_TEST

/* What else is due is unknown until the file is correct. */
START_TEST(test_a_broken_file_comes_before_all_else)
{
    manager->is_file_broken = true;
    listeners_free(manager->services[0]);
    ck_assert(due_refresh(manager));
    check_due("has errors (dispatcherd --check shows them) and is not in force",
              "dispatcherctl reload");
}
END_TEST

START_TEST(test_a_service_without_a_socket_needs_systemd)
{
    listeners_free(manager->services[0]);
    ck_assert(due_refresh(manager));
    check_due("SMTP has no socket", "dispatcherctl apply");
    ck_assert(due_has_service(&manager->due, "SMTP"));
    /* One that was stopped by command has none on purpose. */
    pool_stop(manager->services[0]->pool);
    ck_assert(due_refresh(manager));
    ck_assert_uint_eq(manager->due.n_items, 0);
}
END_TEST

START_TEST(test_by_hand_a_missing_port_is_bound_by_a_reload)
{
    manager->has_passed_sockets = false;
    ck_assert(due_refresh(manager));
    check_due("SMTP does not listen at ", "dispatcherctl reload");
}
END_TEST

START_TEST(test_a_socket_of_nobody_is_named)
{
    int fd = tcp_listen(false);

    ck_assert_int_eq(
        spare_sockets_add(&manager->spare_sockets, manager->context.event, "pop3-tls", &fd), 0);
    ck_assert(due_refresh(manager));
    check_due("'pop3' is not in force, but systemd still listens for it at 127.0.0.1:",
              "dispatcherctl apply");
}
END_TEST

/* After an upgrade, for instance. */
START_TEST(test_a_worker_of_another_version_is_to_be_replaced)
{
    played_worker_gets_ready(0, 1, run);
    ck_assert(!due_refresh(manager));
    manager->services[0]->state->fingerprints[0] ^= UINT64_C(1) << 32;
    ck_assert(due_refresh(manager));
    check_due("workers of SMTP still run the previous version", "dispatcherctl reload");
    /* It is being replaced already. */
    pool_worker_outdated(manager->services[0]->pool, 0);
    ck_assert(due_refresh(manager));
    ck_assert_uint_eq(manager->due.n_items, 0);
}
END_TEST

START_TEST(test_workers_that_cannot_be_started_are_due)
{
    played_workers_fail("systemd has closed it");
    ck_assert(due_refresh(manager));
    check_due("systemd has closed the socket that starts workers of SMTP", "dispatcherctl apply");
}
END_TEST

START_TEST(test_in_the_end_nothing_is_due)
{
    listeners_free(manager->services[0]);
    manager->state = MANAGER_STOPPING;
    ck_assert(!due_refresh(manager));
    ck_assert_uint_eq(manager->due.n_items, 0);
}
END_TEST

START_TEST(test_a_young_result_is_not_found_anew)
{
    ck_assert(!due_look(manager, 3600 * USEC_PER_SEC));
    uint64_t at = manager->due_at;
    ck_assert_uint_gt(at, 0);
    listeners_free(manager->services[0]);
    ck_assert(!due_look(manager, 3600 * USEC_PER_SEC));
    ck_assert_uint_eq(manager->due_at, at);
    ck_assert(due_look(manager, 0));
    ck_assert_uint_eq(manager->due.n_items, 1);
}
END_TEST

SUITE("due_find", set_up, tear_down, test_when_all_is_in_force_nothing_is_due,
      test_a_changed_file_is_to_be_read, test_a_broken_file_comes_before_all_else,
      test_a_service_without_a_socket_needs_systemd,
      test_by_hand_a_missing_port_is_bound_by_a_reload, test_a_socket_of_nobody_is_named,
      test_a_worker_of_another_version_is_to_be_replaced,
      test_workers_that_cannot_be_started_are_due, test_in_the_end_nothing_is_due,
      test_a_young_result_is_not_found_anew)
