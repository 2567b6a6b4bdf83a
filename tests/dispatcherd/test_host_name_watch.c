/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* The host's name changes in a namespace of the test's own, which takes root. */
#include "access/tcp.h"
#include "dispatcherd/host_name_watch.h"
#include "dispatcherd/manager_scene.h"
#include "support/suite.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SERVICES                                                                                   \
    "[SERVICE=SMTP]\nPORT=25\nIMAGE=/bin/true\nMIN_PROCS=1\n"                                      \
    "[SERVICE=POP3]\nPORT=110\nIMAGE=/bin/true\nMIN_PROCS=1\n"

static struct manager_scene scene;
static struct manager *manager;

static void run(void)
{
    manager_scene_run(&scene);
}

static void set_up(void)
{
    manager_scene_start(&scene, SERVICES, NULL);
    manager = &scene.manager;
    for (size_t i = 0; i < 2; i++) {
        manager_scene_open(&scene, i);
        played_worker_gets_ready((unsigned)i, 1, run);
    }
}

static void tear_down(void)
{
    host_name_watch_end(manager);
    manager_scene_end(&scene);
}

static bool set_name(const char *name)
{
    return sethostname(name, strlen(name)) == 0;
}

/* Returns whether names can be changed here. */
static bool begin(void)
{
    if (unshare(CLONE_NEWUTS) < 0 || !set_name("mx1.example.org")) {
        printf("# skipped: only root can change a host's name\n");
        return false;
    }
    ck_assert_int_eq(host_name_watch_start(manager), 0);
    ck_assert_str_eq(manager->host_name, "mx1");
    manager_scene_forget_lines(&scene);
    return manager->host_name_source != NULL;
}

static bool has_line(_unused_ void *userdata)
{
    return scene.line[0] != '\0';
}

/* They greet with the old one, and their log files have it. */
START_TEST(test_workers_with_the_old_name_are_replaced)
{
    if (!begin())
        return;
    ck_assert(set_name("mx2.example.org"));
    loop_until(manager->context.event, has_line, NULL);
    ck_assert_str_eq(manager->host_name, "mx2");
    ck_assert_str_eq(manager->context.host_name, "mx2");
    ck_assert_str_eq(scene.line,
                     "the host's name has changed to mx2; replacing 2 workers with the old name");
    for (unsigned i = 0; i < 2; i++)
        ck_assert(manager->services[i]->pool->workers[0].is_outdated);
    ck_assert_uint_eq(played_workers_n_starts(), 4);
}
END_TEST

/* Only what stands before the first dot is used. */
START_TEST(test_another_domain_is_no_other_name)
{
    if (!begin())
        return;
    ck_assert(set_name("mx1.example.net"));
    run();
    ck_assert_str_eq(scene.line, "");
    ck_assert(!manager->services[0]->pool->workers[0].is_outdated);
}
END_TEST

START_TEST(test_a_service_that_goes_needs_no_new_workers)
{
    if (!begin())
        return;
    manager->services[1]->is_going = true;
    ck_assert(set_name("mx3"));
    loop_until(manager->context.event, has_line, NULL);
    ck_assert_str_eq(scene.line,
                     "the host's name has changed to mx3; replacing 1 worker with the old name");
    ck_assert(!manager->services[1]->pool->workers[0].is_outdated);
}
END_TEST

SUITE("host_name_watch", set_up, tear_down, test_workers_with_the_old_name_are_replaced,
      test_another_domain_is_no_other_name, test_a_service_that_goes_needs_no_new_workers)
