/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The line that systemctl status shows. */
#include "dispatcherd/manager_scene.h"
#include "dispatcherd/service/listener.h"
#include "dispatcherd/status.h"
#include "support/suite.h"

#include <string.h>

#define SMTP "[SERVICE=SMTP]\nPORT=25\nIMAGE=/bin/true\nMIN_PROCS=1\nMAX_PROCS=3\nMAX_CONNS=4\n"
#define POP3 "[SERVICE=POP3]\nPORT=110\nIMAGE=/bin/true\nMIN_PROCS=0\nMAX_PROCS=2\nMAX_CONNS=5\n"

static struct manager_scene scene;
static struct manager *manager;
static char text[NOTIFY_STATUS_MAX];

static void run(void)
{
    manager_scene_run(&scene);
}

static void begin(const char *config)
{
    manager_scene_start(&scene, config, NULL);
    manager = &scene.manager;
}

static void tear_down(void)
{
    manager_scene_end(&scene);
}

static const char *status(void)
{
    return status_format(manager, text, sizeof(text));
}

START_TEST(test_each_service_has_its_numbers)
{
    begin(SMTP POP3);
    manager_scene_open(&scene, 0);
    manager_scene_open(&scene, 1);
    played_worker_gets_ready(0, 4, run);
    ck_assert_str_eq(status(),
                     "SMTP 1/3 workers, 0/12 connections; POP3 0/2 workers, 0/10 connections");
}
END_TEST

START_TEST(test_what_is_not_as_usual_is_added)
{
    begin(SMTP);
    manager_scene_open(&scene, 0);
    played_worker_gets_ready(0, 4, run);
    struct pool *pool = manager->services[0]->pool;
    pool->n_waiting = 7;
    pool->n_draining = 2;
    ck_assert_ptr_nonnull(strstr(status(), ", 7 waiting, 2 draining"));
    pool->n_waiting = pool->n_draining = 0;
    listeners_free(manager->services[0]);
    ck_assert_str_eq(status(), "SMTP 1/3 workers, 0/12 connections, no socket");
    /* It was stopped by command, which closes the sockets. */
    pool_stop(pool);
    ck_assert_ptr_null(strstr(status(), "no socket"));
}
END_TEST

START_TEST(test_a_worker_that_cannot_be_started_comes_before_numbers)
{
    begin(SMTP);
    played_workers_fail("it is not there");
    manager_scene_open(&scene, 0);
    ck_assert_str_eq(status(), "SMTP cannot start a worker: it is not there");
    /* As long as one serves, the numbers say more. */
    manager->services[0]->pool->n_ready = 1;
    ck_assert_ptr_nonnull(strstr(status(), "SMTP 1/3 workers"));
    manager->services[0]->pool->n_ready = 0;
}
END_TEST

START_TEST(test_the_worst_comes_first)
{
    const struct origin origin = {.file = "dispatcher.cnf"};

    begin(SMTP);
    manager_scene_open(&scene, 0);
    played_worker_gets_ready(0, 4, run);
    manager->state = MANAGER_STARTING;
    manager->is_on_last_config = true;
    manager->services[0]->alerts.of[SERVICE_ALERT_FULL].is_raised = true;
    manager->services[0]->alerts.of[SERVICE_ALERT_CERTIFICATE].is_raised = true;
    due_add(&manager->due, "SMTP", &origin, DUE_RELOAD, "odd");
    ck_assert_str_eq(status(), "starting; dispatcher.cnf is broken, the last good one is in use; "
                               "due: dispatcherctl reload; SMTP is full; SMTP needs a certificate; "
                               "SMTP 1/3 workers, 0/12 connections");
}
END_TEST

START_TEST(test_a_line_that_is_too_long_is_cut)
{
    begin(SMTP);
    manager_scene_open(&scene, 0);
    ck_assert_str_eq(status_format(manager, text, 10), "SMTP 1/3 ");
}
END_TEST

SUITE("status", NULL, tear_down, test_each_service_has_its_numbers,
      test_what_is_not_as_usual_is_added, test_a_worker_that_cannot_be_started_comes_before_numbers,
      test_the_worst_comes_first, test_a_line_that_is_too_long_is_cut)
