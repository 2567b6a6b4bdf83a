/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) dispatcherd contributors */
/* What a reload changes, and what it leaves alone. */
#include "access/tcp.h"
#include "base/fd.h"
#include "dispatcherd/checks/admission.h"
#include "dispatcherd/manager_scene.h"
#include "dispatcherd/reload.h"
#include "dispatcherd/service/listener.h"
#include "support/suite.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SMTP "[SERVICE=SMTP]\nPORT=2525\nIMAGE=/bin/true\nMIN_PROCS=1\nMAX_PROCS=3\nMAX_CONNS=4\n"
#define POP3 "[SERVICE=POP3]\nPORT=1110\nIMAGE=/bin/true\nMIN_PROCS=0\nMAX_PROCS=3\nMAX_CONNS=4\n"

static struct manager_scene scene;
static struct manager *manager;
static struct problem_list problems;

static void run(void)
{
    manager_scene_run(&scene);
}

static void begin(const char *config)
{
    manager_scene_start(&scene, config, NULL);
    manager = &scene.manager;
    for (size_t i = 0; i < manager->n_services; i++)
        manager_scene_open(&scene, i);
}

static void tear_down(void)
{
    problem_list_clear(&problems);
    manager_scene_end(&scene);
}

/* Reloads with another dispatcher.cnf; the loop does what follows. */
static int reload_with(const char *config)
{
    manager_scene_write(&scene, config, NULL);
    manager_scene_forget_lines(&scene);
    problem_list_clear(&problems);
    int r = reload(manager, &problems);
    run();
    return r;
}

static bool has_problem(const char *text)
{
    for (size_t i = 0; i < problems.n_items; i++)
        if (strstr(problems.items[i].text, text))
            return true;
    return false;
}

START_TEST(test_limits_apply_at_once_and_replace_nobody)
{
    begin(SMTP);
    played_worker_gets_ready(0, 4, run);
    const struct config_version *before = manager->version;
    ck_assert_int_eq(reload_with(SMTP "MAX_PROCS=7\nMAX_SHUTDOWN=2\n"), 0);
    ck_assert_ptr_ne(manager->version, before);
    ck_assert_uint_eq(manager->services[0]->pool_options.max_procs, 7);
    ck_assert_ptr_eq(manager->services[0]->version, manager->version);
    ck_assert_uint_eq(played_workers_n_starts(), 1);
    ck_assert_int_eq(played_worker_hears_type(0), 0);
    ck_assert(!manager->is_file_broken);
    ck_assert(manager_scene_has_logged(&scene, "reloaded /tmp/manager-"));
    ck_assert_uint_eq(manager->config_number, 1);
}
END_TEST

START_TEST(test_errors_change_nothing)
{
    begin(SMTP);
    played_worker_gets_ready(0, 4, run);
    const struct config_version *before = manager->version;
    unsigned n_changes = scene.n_changes;
    ck_assert_int_eq(reload_with(SMTP "MAX_PROCS=7\nMAX_PORCS=1\nMAX_CONNS=x\n"), -EINVAL);
    ck_assert_uint_gt(problems.n_errors, 0);
    ck_assert_ptr_eq(manager->version, before);
    ck_assert_uint_eq(manager->services[0]->pool_options.max_procs, 3);
    ck_assert(manager->is_file_broken);
    ck_assert_uint_gt(scene.n_changes, n_changes);
    ck_assert(manager_scene_has_logged(&scene, "reload refused because of "));
    ck_assert(due_has_service(&manager->due, NULL) || manager->due.n_items > 0);
    /* And a file without errors mends it. */
    ck_assert_int_eq(reload_with(SMTP "MAX_PROCS=7\n"), 0);
    ck_assert(!manager->is_file_broken);
    ck_assert_uint_eq(manager->services[0]->pool_options.max_procs, 7);
}
END_TEST

START_TEST(test_a_program_that_is_not_there_is_an_error)
{
    begin(SMTP);
    ck_assert_int_eq(reload_with(SMTP "IMAGE=/nonexistent/worker\n"), -EINVAL);
    ck_assert_str_eq(manager->services[0]->options->image, "/bin/true");
}
END_TEST

/* The file was emptied by accident, as by a full disk. */
START_TEST(test_no_service_at_all_is_refused)
{
    begin(SMTP);
    ck_assert_int_eq(reload_with(""), -EINVAL);
    ck_assert_uint_eq(problems.n_errors, 1);
    ck_assert(!manager->services[0]->is_going);
    ck_assert_uint_eq(manager->services[0]->n_listeners, 1);
}
END_TEST

START_TEST(test_workers_that_were_started_with_other_values_are_replaced)
{
    begin(SMTP);
    played_worker_gets_ready(0, 4, run);
    ck_assert_int_eq(reload_with(SMTP "IMAGE=/bin/false\n"), 0);
    ck_assert_uint_eq(played_workers_n_starts(), 2);
    ck_assert_int_eq(played_worker_hears_type(0), 0);
    played_worker_gets_ready(1, 4, run);
    ck_assert_int_eq(played_worker_hears_type(0), MESSAGE_DRAIN);
    ck_assert_int_eq(played_worker_hears_type(1), 0);
}
END_TEST

START_TEST(test_workers_are_told_another_debug_mask)
{
    static struct played_packet packet;

    begin(SMTP);
    played_worker_gets_ready(0, 4, run);
    ck_assert_int_eq(reload_with("DEBUG=16%2\n" SMTP "DEBUG=16%4\n"), 0);
    ck_assert_int_eq(played_worker_hears(0, &packet), MESSAGE_DEBUG);
    ck_assert_uint_eq(packet.message.value, 4);
    ck_assert_uint_eq(manager->context.debug, manager->version->config.debug);
    ck_assert_int_eq(reload_with(SMTP "DEBUG=16%4\n"), 0);
    ck_assert_int_eq(played_worker_hears_type(0), 0);
}
END_TEST

/* Whether a client at that socket is turned away at once, with a reset. */
static bool is_reset(int listener)
{
    int fd = tcp_connect(listener);
    char byte;

    run();
    ck_assert_int_eq(read(fd, &byte, 1), -1);
    bool is_reset = errno == ECONNRESET;
    fd_close(fd);
    return is_reset;
}

START_TEST(test_a_removed_service_drains_and_comes_back_with_its_socket)
{
    begin(SMTP POP3);
    played_worker_gets_ready(0, 4, run);
    struct service *smtp = manager->services[0];
    ck_assert_int_eq(reload_with(POP3), 0);
    ck_assert(smtp->is_going);
    ck_assert(smtp->pool->is_stopping);
    ck_assert_uint_eq(smtp->n_listeners, 0);
    ck_assert_int_eq(played_worker_hears_type(0), MESSAGE_STOP);
    ck_assert_uint_eq(manager->spare_sockets.n_items, 1);
    ck_assert(is_reset(scene.sockets[0]));
    ck_assert(!manager->services[1]->is_going);
    ck_assert_uint_eq(manager->services[1]->n_listeners, 1);

    ck_assert_int_eq(reload_with(SMTP POP3), 0);
    ck_assert_uint_eq(manager->n_services, 2);
    ck_assert(!smtp->is_going);
    ck_assert(!smtp->pool->is_stopping);
    ck_assert_uint_eq(smtp->n_listeners, 1);
    ck_assert_int_eq(smtp->listeners[0].fd, scene.sockets[0]);
    ck_assert_uint_eq(manager->spare_sockets.n_items, 0);
    ck_assert_ptr_eq(smtp->version, manager->version);
    ck_assert_uint_eq(played_workers_n_starts(), 2);
}
END_TEST

START_TEST(test_a_disabled_service_is_as_removed)
{
    begin(SMTP POP3);
    ck_assert_int_eq(reload_with(SMTP "ENABLE=0\n" POP3), 0);
    ck_assert(manager->services[0]->is_going);
    ck_assert(!manager->services[1]->is_going);
}
END_TEST

/* systemd has no socket for it before a restart, and that is said. */
START_TEST(test_a_new_service_is_added_and_what_it_lacks_is_named)
{
    begin(SMTP);
    ck_assert_int_eq(reload_with(SMTP POP3), 0);
    ck_assert_uint_eq(manager->n_services, 2);
    ck_assert_str_eq(manager->services[1]->options->name, "POP3");
    ck_assert_uint_eq(manager->services[1]->n_listeners, 0);
    ck_assert(has_problem("POP3 has no socket"));
    ck_assert_uint_eq(manager->due.n_items, 1);
    ck_assert(due_has_service(&manager->due, "POP3"));
    ck_assert(due_has_service(&manager->due, "SMTP") == false);
}
END_TEST

static uint16_t free_port(void)
{
    struct sockaddr_in address;
    socklen_t length = sizeof(address);
    _cleanup_fd_ int fd = tcp_listen(false);

    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    return ntohs(address.sin_port);
}

/* By hand: all services close ports before one opens any. */
START_TEST(test_a_port_moves_from_one_service_to_another)
{
    char config[1024];
    static const char form[] = "INTERFACE_ADDRESS=127.0.0.1\n"
                               "[SERVICE=A]\nPORT=%u\nIMAGE=/bin/true\nMIN_PROCS=0\n"
                               "[SERVICE=B]\nPORT=%u\nIMAGE=/bin/true\nMIN_PROCS=0\n";
    uint16_t a = free_port(), b = free_port();

    snprintf(config, sizeof(config), form, a, b);
    manager_scene_start(&scene, config, NULL);
    manager = &scene.manager;
    manager->has_passed_sockets = false;
    ck_assert_int_eq(reload_with(config), 0);
    ck_assert_uint_eq(manager->services[0]->listeners[0].address.port, a);
    snprintf(config, sizeof(config), form, b, a);
    ck_assert_int_eq(reload_with(config), 0);
    for (unsigned i = 0; i < 2; i++) {
        ck_assert_uint_eq(manager->services[i]->n_listeners, 1);
        ck_assert_uint_eq(manager->services[i]->listeners[0].address.port, i == 0 ? b : a);
        ck_assert_ptr_nonnull(manager->services[i]->listeners[0].source);
    }
    ck_assert_uint_eq(problems.n_items, 0);
}
END_TEST

/* By hand: a port that cannot be had is a problem of its service alone. */
START_TEST(test_a_port_in_use_is_a_problem_and_no_refusal)
{
    char config[512];
    struct sockaddr_in address;
    socklen_t length = sizeof(address);
    _cleanup_fd_ int fd = tcp_listen(false);

    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    snprintf(config, sizeof(config),
             "[SERVICE=A]\nPORT=%u\nIMAGE=/bin/true\nINTERFACE_ADDRESS=127.0.0.1\nMIN_PROCS=0\n",
             ntohs(address.sin_port));
    manager_scene_start(&scene, config, NULL);
    manager = &scene.manager;
    manager->has_passed_sockets = false;
    ck_assert_int_eq(reload_with(config), 0);
    ck_assert(has_problem("A cannot listen on all of its ports: Address already in use"));
    ck_assert(manager_scene_has_logged(&scene, "cannot listen on 127.0.0.1:"));
}
END_TEST

START_TEST(test_mappings_come_into_force)
{
    begin(SMTP);
    ck_assert(!admission_has_table(manager->context.admission));
    manager_scene_write(&scene, NULL, "PORT_ACCESS\n\n  *  $N500$ no\n");
    ck_assert_int_eq(reload_with(SMTP), 0);
    ck_assert(admission_has_table(manager->context.admission));
    ck_assert_ptr_eq(manager->context.admission->mappings, manager->version->mappings);
    /* Emptied by accident: that would let everybody in. */
    manager_scene_write(&scene, NULL, "");
    ck_assert_int_eq(reload_with(SMTP), -EINVAL);
    ck_assert(admission_has_table(manager->context.admission));
}
END_TEST

Suite *make_suite(void)
{
    Suite *suite = suite_create("reload");

    ADD_FIXTURE_TESTS(suite, "refused", NULL, tear_down, test_errors_change_nothing,
                      test_a_program_that_is_not_there_is_an_error,
                      test_no_service_at_all_is_refused);
    ADD_FIXTURE_TESTS(suite, "options", NULL, tear_down,
                      test_limits_apply_at_once_and_replace_nobody,
                      test_workers_that_were_started_with_other_values_are_replaced,
                      test_workers_are_told_another_debug_mask, test_mappings_come_into_force);
    ADD_FIXTURE_TESTS(suite, "services", NULL, tear_down,
                      test_a_removed_service_drains_and_comes_back_with_its_socket,
                      test_a_disabled_service_is_as_removed,
                      test_a_new_service_is_added_and_what_it_lacks_is_named,
                      test_a_port_moves_from_one_service_to_another,
                      test_a_port_in_use_is_a_problem_and_no_refusal);
    return suite;
}
